"""The course of one lab is run by the machinery's tests, not collected beside them."""

import sys

collect_ignore = ["course"]
# jsonschema would make 35 parsers of IRIs when it is imported, a second of work or two, for a
# format that no schema here asks for; it does without where they are absent.
sys.modules["rfc3987_syntax"] = None  # type: ignore[assignment]
