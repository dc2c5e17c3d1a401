"""The course of one lab is run by the machinery's tests, not collected beside them."""

collect_ignore = ["course"]
