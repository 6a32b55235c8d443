"A stand-in for the package that Colab's kernels are made of: as much of it as libraries look at."

from google.colab import errors, userdata

__all__ = ["errors", "userdata"]
