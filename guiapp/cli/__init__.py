"""The command line: the same work without a window, one command a file."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

from guiapp.cli import output
from guiapp.cli.parser import build
from guiapp.core.notices import SettingError, UserError
from guiapp.core.registry import UnknownName, resolve

DONE, FAILED, BAD_ARGUMENTS = 0, 1, 2


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code: 0 done, 1 the work failed, 2 bad arguments.

    Results go to standard output, everything else to standard error. With ``GUIAPP_DEBUG`` set, an unforeseen error
    shows its traceback.

    Args:
        arguments: Words after the program's name; those of the process by default.
    """
    options = build().parse_args(arguments)
    try:
        code: int = resolve(options.run)(options)
        return code
    except (SettingError, UnknownName) as error:
        return _fail(error, BAD_ARGUMENTS)
    except UserError as error:
        return _fail(error, FAILED)
    except KeyboardInterrupt:
        output.say("stopped")
        return FAILED
    except BrokenPipeError:  # the reader of a pipe, such as head, has gone
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return FAILED
    except Exception as error:  # one line for the person instead of a traceback
        if os.environ.get("GUIAPP_DEBUG"):
            raise
        text = " ".join(str(error).split()) or type(error).__name__
        output.say(f"failed: {text} ({type(error).__name__}; GUIAPP_DEBUG=1 shows where)")
        return FAILED


def _fail(error: Exception, code: int) -> int:
    output.say(f"guiapp: {' '.join(str(error).split())}")
    return code
