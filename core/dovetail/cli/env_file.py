"""``--env-file``: variables for this command from a dotenv file."""

from __future__ import annotations

import io

from dovetail import setting_files
from dovetail.errors import InvalidInput, NotFound

__all__ = ["load"]


def load(path: str) -> None:
    """Set the variables of the file that are not set yet.

    Raises:
        NotFound: There is no such file.
        InvalidInput: It cannot be read as one, is no regular file, or is larger than 1 MiB.
    """
    from dotenv import load_dotenv

    try:
        text = setting_files.content_of(path or ".").decode("utf-8-sig")
        # As from a file that is opened for text: any line end is one.
        load_dotenv(stream=io.StringIO(text, newline=None))
    except FileNotFoundError as error:
        raise NotFound(f"--env-file {path}: there is no such file.", hint="Check the path.") from error
    except OSError as error:
        reason = error.strerror or error
        raise InvalidInput(f"--env-file {path} cannot be read: {reason}.", hint="Give a text file.") from error
    except UnicodeError as error:
        raise InvalidInput(f"--env-file {path} is not UTF-8 text.", hint="Write NAME=VALUE on each line.") from error
    except ValueError as error:
        raise InvalidInput(
            f"--env-file {path} has a value that no variable can have: {error}.", hint="Leave it out."
        ) from error
