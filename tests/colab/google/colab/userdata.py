"The reader has put no secret into the notebook's vault."

from google.colab.errors import Error


class SecretNotFoundError(Error):
    def __init__(self, key: str) -> None:
        super().__init__(f"Secret {key} does not exist.")


class NotebookAccessError(Error):
    pass


def get(key: str) -> str:
    raise SecretNotFoundError(key)
