"""Phrases that say what to be reminded of, and when, in the five languages.

A phrase is understood as a whole or there is a question: words of time that nobody used are never dropped.

`tokens` cuts a text, `lexing` finds the words of time of a language in it (`words`, `lexicon`), `grammar` the pieces
that say something, `readers` what they say (`pieces`); `slots` puts that together, `once` and `repeated` resolve it to
schedules, `reading` decides what is left for the task, and `understanding` takes the language that explains most.
"""

from __future__ import annotations

from migrebot.reminders.phrases.answers import Answer, Asked, Assumed, NotUnderstood, Question, Reason, Understood
from migrebot.reminders.phrases.understanding import understand

__all__ = ["Answer", "Asked", "Assumed", "NotUnderstood", "Question", "Reason", "Understood", "understand"]
