"""What every error of the course must be: of its own class, and one line that a reader can take in."""

from collections.abc import Callable

import pytest

MOST_CHARACTERS = 1000


def complaint_of(error: type[Exception], function: Callable, *args, **options) -> str:
    "The message of the `error` that the call raises, after checking that it is one readable line."
    with pytest.raises(error) as info:
        function(*args, **options)
    message = str(info.value)
    assert len(message.splitlines()) == 1, message
    assert len(message) < MOST_CHARACTERS, message
    return message
