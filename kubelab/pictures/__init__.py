"""Pictures of the learner's own cluster: pure functions from what was read to SVG and to text.

Each module has a model (a frozen dataclass), `svg(model)` and `told(model)`. Both carry the same
facts: the text is the picture's description, and what a terminal and a screen reader get.
"""
