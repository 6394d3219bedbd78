"""The way through `/pain` that everybody goes in the benchmarks: a word, then one press after the other."""

from __future__ import annotations

COMMAND = "/pain"

PRESSES = (
    "Today",
    "3",
    "7",
    "No",
    "Stress",
    "Next",
    "Nausea",
    "Next",
    "Yes",
    "Ibuprofen",
    "400 mg",
    "No",
    "Skip",
)
"""The labels of the buttons, one for each question; a medicine that is not on offer yet is typed."""

STEPS = 1 + len(PRESSES)

END = "Edit"
"""A button of the message that ends the form."""
