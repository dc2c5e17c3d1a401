"""The course of one lab is run by the machinery's tests, not collected beside them."""

import os
import signal
import sys

collect_ignore = ["course"]
# The tests read English, whatever the terminal's language is; those of Chinese ask for it.
os.environ["KUBELAB_LANG"] = "en"
# A shell's background job ignores Ctrl-C, and so would every program that a test interrupts.
if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)
# jsonschema would make 35 parsers of IRIs when it is imported, a second of work or two, for a
# format that no schema here asks for; it does without where they are absent.
sys.modules["rfc3987_syntax"] = None  # type: ignore[assignment]
