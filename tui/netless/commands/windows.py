"""The keys of the windows over the main screen. Each window does them itself; its bar shows those with a label, in this order."""

from __future__ import annotations

from typing import Final

from .command import Command

_CLOSE: Final = "close"
WINDOWS: Final = (
    Command("window.close", ("escape",), "Close", "put the window away", "window", own=_CLOSE),
    Command("window.copy", ("ctrl+c",), "", "copy what is selected, else quit", "window", own="app.leave_or_copy"),
    Command("window.screenshot", ("f12",), "", "the screen as a picture", "window", own="app.keep"),
    Command("list.down", ("down",), "", "the next row", "list", own="move(1)", first=True),
    Command("list.up", ("up",), "", "the row before", "list", own="move(-1)", first=True),
    Command("list.far-down", ("pagedown",), "", "ten rows on", "list", own="move(10)", first=True),
    Command("list.far-up", ("pageup",), "", "ten rows back", "list", own="move(-10)", first=True),
    Command("help.close", ("escape", "question_mark", "q"), "Close", "back", "help", own=_CLOSE),
    Command("goto.start", ("enter",), "Its start", "rebuild the lab for the start of the step", "goto", own="take"),
    Command("goto.end", ("ctrl+e",), "Its end", "rebuild the lab with the step done", "goto", own="end", first=True),
    Command("goto.close", ("escape",), "Stay", "go nowhere", "goto", own=_CLOSE),
    Command("courses.open", ("enter",), "Open", "go to the lesson, at its first step not done", "courses", own="take"),
    Command("courses.close", ("escape",), "Back to the step", "go nowhere", "courses", own=_CLOSE),
    Command("reset.yes", ("y",), "Reset", "what is listed goes", "reset", own="confirm"),
    Command("reset.close", ("enter", "n", "q"), "Keep", "everything as it is", "reset", own=_CLOSE),
    Command("reset.step", ("s",), "Step", "this step only", "reset", own="scope('step')"),
    Command("reset.lesson", ("l",), "Lesson", "the whole lesson", "reset", own="scope('lesson')"),
    Command("reset.lab", ("a",), "All", "the whole lab", "reset", own="scope('lab')"),
    Command("reset.before", ("left",), "", "the choice before", "reset", own="turn(-1)"),
    Command("reset.after", ("right", "tab"), "", "the next choice", "reset", own="turn(1)"),
    Command("consent.yes", ("y",), "Do it", "what is listed goes", "consent", own="yes"),
    Command("consent.close", ("enter", "n", "q"), "Keep", "everything as it is", "consent", own=_CLOSE),
    Command("leaving.end", ("y",), "End the lab", "and quit the tutor", "leaving", own="end"),
    Command("leaving.keep", ("k",), "Keep it", "quit the tutor, and come back to the lab within half an hour", "leaving", own="keep_lab"),
    Command("leaving.close", ("escape", "ctrl+c", "q", "n", "enter"), "Stay", "quit nothing", "leaving", own=_CLOSE),
    Command("drill.begin", ("enter",), "Break it", "begin the drill", "drill", own="take"),
    Command("drill.draw", ("ctrl+n",), "Other seed", "draw another number", "drill", own="draw", first=True),
    Command("drill.close", ("escape",), "Leave it whole", "break nothing", "drill", own=_CLOSE),
    Command("mend.yes", ("y",), "Mend it and tell me", "give up", "mend", own="yes"),
    Command("mend.close", ("enter", "n", "q", "m"), "Go on", "look further", "mend", own=_CLOSE),
    Command("told.close", ("enter", "m", "q"), "Back to the lesson", "where you were", "told", own=_CLOSE),
    Command("told.learn", ("g",), "Go to the step that teaches it", "choose it in the list of steps", "told", own="learn"),
    Command("why.close", ("escape", "w", "q", "enter"), "Close", "and the packet moves once more", "why", own=_CLOSE),
    Command("why.fix", ("f",), "What would mend it", "show the command", "why", own="fix"),
    Command("why.learn", ("g",), "Go to the step", "that teaches the cause", "why", own="learn"),
    Command("hops.bytes", ("enter",), "Its bytes", "layer by layer", "hops", own="take"),
    Command("hops.close", ("escape", "q"), "Close", "back", "hops", own=_CLOSE),
    Command("packet.close", ("escape", "q", "enter"), "Close", "back", "packet", own=_CLOSE),
    Command("seek.show", ("enter",), "Show", "only packets with these words", "seek", own="done"),
    Command("seek.close", ("escape",), "Leave it", "as it is", "seek", own=_CLOSE),
    Command("shells.have", ("enter",), "Take it over", "go on with this shell here", "shells", own="take"),
    Command("shells.all", ("a",), "All of them", "one of each node", "shells", own="all"),
    Command("shells.close", ("escape", "q", "n"), "Leave them", "as they are", "shells", own=_CLOSE),
    Command("gone.rebuild", ("r", "enter"), "Rebuild to the same step", "or try again when the lab never came", "gone", own="rebuild"),
    Command("gone.quit", ("q",), "Quit", "the tutor", "gone", own="app.leave"),
    Command("gone.stay", ("escape",), "", "there is nothing behind this window", "gone", own="nothing"),
)
