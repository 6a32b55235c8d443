"""Libraries find out that they are in Colab by the name of the shell's class.

Where Colab gives a GPU, there is a pretended one, in this process: `course` and its processes are others, and find none.
"""

import os

from google.colab._shell import Shell
from ipykernel.ipkernel import IPythonKernel
from traitlets import Type


class Kernel(IPythonKernel):
    shell_class = Type(Shell)

    def __init__(self, **options):
        super().__init__(**options)
        if os.environ["COLAB_GPU"] == "1":
            from pretended_gpu import pretended_gpu

            self.gpu = pretended_gpu()
            self.gpu.__enter__()
