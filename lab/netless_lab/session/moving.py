"""The verbs that move the lab: run, next, back, goto, reset, play. One at a time, from any state, always with words."""

from __future__ import annotations

import contextlib

import msgspec

from ..course.bind import infer
from ..course.bindings import Bindings
from ..course.further import Missing, difference, in_words
from ..course.step import Position, positions, step_at
from ..errors import ApplyError, Refusal
from ..model.needs import unable
from ..model.snapshot import Snapshot
from ..primitives.base import Action, Dialect
from ..primitives.fuse import beside
from ..protocol import Judged, Judgement, Moved, Scope
from .losses import going, in_the_picture, out_of_sight, start_of, told
from .moves import spoken
from .offers import insist, not_yet
from .pages import bound_actions, judged, onward, the_end
from .play import STAYS, Play, stop_playing
from .stage import Stage
from .state import Notices, Ran, after, before, stood

_NEW_LAB = "If `reset lab` does not help either, end the lab (`netless down`) and start a new one; your ticks are kept."


async def begin(stage: Stage) -> None:
    """Take stock: the world as it is before the first step, and what the progress says of earlier days."""
    lacking = await stage.moves.have(stage.state.course)
    await stage.live.begin()
    await stand_at(stage, _frontier(stage))
    if stage.state.progress.here not in ("", stage.state.course.id):  # the learner was in another course, and asked for this one
        stage.remember(stage.state.progress.at(stage.state.position))
    stage.refresh_goal()
    if lacking:
        stage.note(lacking)
    if stage.state.position != positions(stage.state.course)[0]:
        stage.note(_resumed(stage))
    stage.rejudge(looked=True)


def _frontier(stage: Stage) -> Position:
    """Where to go on: the position, or the step after it when its tick was the newest one earned before the lab was lost."""
    course, progress = stage.state.course, stage.state.progress
    here = stage.state.position
    places = positions(course)
    later = places[places.index(here) + 1 :]
    earned = [progress.earned(place.key, course.id) for place in (here, *later)]
    return later[0] if later and earned[0] and not any(earned[1:]) else here


async def run(stage: Stage, target: str | None = None, *, rest: bool = False) -> Judgement:
    """Do a step for the learner and judge it; with ``rest`` all that remain in the lesson. Stops at the first that fails."""
    await stage.hold_judging()
    insist(stage, "run")
    place, looked = (_named(stage, target)[0], False) if target else await _to_run(stage)
    over = stop_playing(stage)
    if place is None:
        return Judgement((), over + the_end(stage.state))
    lesson = place.lesson
    answers: list[Judged] = []
    while True:
        answers.append(await _run_one(stage, place, looked=looked))
        following = after(stage.state.course, place)
        if not rest or answers[-1].verdict.result != "pass" or following is None or following.lesson != lesson:
            return Judgement(tuple(answers), over + onward(stage.state))
        place, looked = following, True


async def advance(stage: Stage, *, force: bool = False) -> Moved:
    """Move on; what is there stays. When the next step cannot start from it, that is refused, unless ``force`` has it rebuilt."""
    await stage.hold_judging()
    if refused := stage.mode.refuses("next"):  # what else forbids it has ways on
        raise Refusal(refused, code=1)
    following = after(stage.state.course, stage.state.position)
    if following is None:
        return moved(stage, stop_playing(stage, STAYS) + the_end(stage.state))
    lacking = await _lacking(stage, following)
    if lacking and not force:
        there = (stage.state.course, following, stage.state.bindings)
        clearing = stage.moves.clearing(*there) + (await stage.moves.ending(*there, anew=False)).cleared
        raise Refusal(not_yet(stage.state, following, lacking[0]), code=1, clearing=clearing)
    if lacking:
        await _insist_on_needs(stage, following, end=False)
    over = stop_playing(stage, "" if lacking else STAYS)
    await stand_at(stage, following)
    if lacking:
        await rebuild(stage, following)
        text = f"{over}Skipped ahead: the lab was rebuilt for the start of {following}."
    else:
        text = f"{over}Now at {following}: {stage.state.step.title}."
    stage.rejudge()
    return moved(stage, text)


async def goto(stage: Stage, target: str, *, end: bool = False) -> Moved:
    """Rebuild the lab for the start of a step or lesson, or with it done."""
    await stage.hold_judging()
    place = _named(stage, target)[-1] if end else _named(stage, target)[0]
    await _insist_on_needs(stage, place, end=end)
    stop_playing(stage)
    ending, course = stage.mode.ending(), stage.library.of(place)
    before_it = stood(course, stage.state.progress) if course != stage.state.course else place
    await rebuild(stage, place, end=end)
    if not end:
        onwards = f" You were at {before_it} last: `goto {before_it}` goes on there." if before_it not in (place, positions(course)[0]) else ""
        return moved(stage, f"At the start of {place}: {stage.state.step.title}.{onwards}", ending)
    verdict = (await judge_here(stage, by_tutor=True)).verdict
    text = f"At the end of {place}: {stage.state.step.title}."
    if not verdict.passed:
        failing = "; ".join(item.words for item in verdict.items if item.result in ("fail", "error", "waiting"))
        raise Refusal(f"{text} But its own check does not pass there: {failing}. {_NEW_LAB}", code=4)
    return moved(stage, text, ending)


async def reset(stage: Stage, scope: Scope) -> Moved:
    """Start the step, the lesson or everything over."""
    await stage.hold_judging()
    place = start_of(stage.state, scope)
    same = not stage.state.passed and not told(stage, place, await in_the_picture(stage, place) or await out_of_sight(stage, place, scope)) and not await stage.passes()
    stop_playing(stage)
    if scope == "lab":
        stage.remember(stage.state.progress.started_over(stage.state.course.id))
    if same and scope != "lab":
        return moved(stage, stage.moves.told(await stage.world.repair()) or "Nothing to reset: the lab is as it was at the start.")
    ending = stage.mode.ending()
    await rebuild(stage, place, anew=scope == "lab")
    text = "Nothing to reset that can be seen from here: the lab was started over all the same." if same else f"Reset: the lab is at the start of {place}."
    return moved(stage, text, ending)


async def _lacking(stage: Stage, following: Position) -> tuple[Missing, ...]:
    """What the next step needs and is not there. What was just done counts once it was judged: then its tick is earned and its names are known."""
    state = stage.state
    lacking = tuple(stage.lacking_in(await stage.look(), state.bindings).before(following))
    if (not lacking and state.passed and not stage.judge.due) or not stage.mode.watches:
        return lacking
    await stage.mode.judge(looked=True)
    return tuple(stage.lacking.before(following))


async def set_dialect(stage: Stage, dialect: Dialect) -> Moved:
    """Show commands in this dialect from now on."""
    stage.remember(stage.state.progress.speaking(dialect))
    stage.state = msgspec.structs.replace(stage.state, dialect=dialect)
    stage.views.tell_status()
    return moved(stage, f"Commands are shown in the dialect {dialect}.")


def _resumed(stage: Stage) -> str:
    """Progress from an earlier lab beside a kernel that is new: name the difference and the ways on."""
    state = stage.state
    earned = [place.key for place in before(state.course, state.position) if state.progress.earned(place.key, state.course.id)]
    lacking = difference(state.course, earned, stage.live.last, state.bindings, state.position)
    found = in_words(lacking, len(earned))
    return (
        f"Your progress stands at {state.position} ({state.step.title}), but this lab is new. {found} "
        f"`run` goes on from there and rebuilds what is missing first, `goto {state.position.key}` only rebuilds, "
        "`reset lab` starts over."
    )


async def stand(stage: Stage, place: Position, *, end: bool = False, dialect: Dialect | None = None) -> None:
    """Be at the clean start of a step, or with it done, whatever was before: for something else than the lesson, so no tick is earned by it.

    ``dialect`` is whose tools make the firewall, where that is not the learner's to say.
    """
    await stage.hold_judging()
    await rebuild(stage, place, end=end, judging=False, dialect=dialect)


async def _run_one(stage: Stage, place: Position, *, looked: bool) -> Judged:
    """Do it, with all that is missing before it, and judge it. ``looked``: the last look was just now."""
    if place.course != stage.state.course.id:
        await rebuild(stage, place, judging=False)
    snapshot = await stage.live.refresh(looked=looked)
    jumped = place != stage.state.position
    lacking = tuple(stage.lacking_in(snapshot, stage.state.bindings).before(place))
    if lacking:
        await _insist_on_needs(stage, place, end=True)
    besides = ""
    async with contextlib.AsyncExitStack() as at_work:
        with stage.views.held():
            await stand_at(stage, place)
            until_over = await at_work.enter_async_context(stage.busy(f"running {stage.state.step.title}"))
        if lacking:
            await rebuild(stage, place, judging=False)
            if not jumped:
                besides = f"The lab was rebuilt first: it was not at this step's start, for {lacking[0].title!r} did not hold."
        elif _stands(stage, snapshot) and (held := await stage.mode.judge(looked=True)).passed:
            return msgspec.structs.replace(judged(stage.state, place, held), besides=f"{stage.state.step.title!r} is done already: nothing had to be done.")
        if lacks := unable(stage.state.lacks):
            raise Refusal(lacks, code=3)
        before_it = stage.live.last
        try:
            did = await _apply_step(stage)
        except ApplyError as error:
            await rebuild(stage, place, judging=False)
            there = error.errno == "EEXIST"
            why = "some of this was there already." if there else f"it could not be done on what was there. What failed: {error.problem}"
            besides = f"The lab was put back to the step's start, then the step was done: {why}"
            try:
                did = await _apply_step(stage)
            except ApplyError as error:
                raise Refusal(f"The step could not be done. {error} {_NEW_LAB}", code=4) from error
        stage.built_on |= bool(stage.own_changes)
        stage.own_changes.clear()
        if stage.built_on:
            stage.ran.append(Ran(place, did, before_it, stage.live.last))
        stage.state = msgspec.structs.replace(stage.state, by_tutor=True)
        until_over.enter_context(stage.views.held())  # the verdict, the tick and that it is over are one piece of news
        return msgspec.structs.replace(await judge_here(stage, by_tutor=True), besides=besides)


def _stands(stage: Stage, snapshot: Snapshot) -> bool:
    """Whether the step's state is there, in whatever names: an earlier step may have known a cable's two ends the other way round."""
    return infer(stage.state.step, snapshot, stage.state.bindings, stage.world.baseline) is not None


async def _apply_step(stage: Stage) -> tuple[Action, ...]:
    actions = bound_actions(stage.state.step, stage.state, stage.live.last)
    stage.moves.check(actions, stage.state.dialect)
    stage.state = msgspec.structs.replace(stage.state, by_tutor=True)  # it may pass before the last action, or though that fails
    for action in actions:
        before_it = stage.live.last
        try:
            await stage.moves.apply(action, stage.state.dialect)
        except ApplyError as error:
            stage.views.tell_action(action, str(error))
            raise
        stage.views.tell_action(action)
        did = spoken((action, *beside(action, stage.state.dialect)), stage.state.dialect)
        stage.history.did(did, before_it, action.sentence(), str(stage.state.position))
    return actions


async def rebuild(stage: Stage, place: Position, *, end: bool = False, judging: bool = True, anew: bool = False, dialect: Dialect | None = None) -> Snapshot:
    """Build the lab anew for a step's start, or with it ``end``; ``judging``: then judge what is there; ``anew``: the containers too, and in the
    lessons' names. A step of another course is built in the world of that course.

    Raises Refusal: 3 before anything is touched, when the machine lacks what a step on the way needs, and 4.
    """
    await _insist_on_needs(stage, place, end=end)
    async with stage.busy(f"rebuilding to {place}") as until_over:
        stage.enter(await stage.mode.left())  # which may tell what it was, in the names that the learner gave
        if anew:
            stage.state = msgspec.structs.replace(stage.state, bindings=Bindings())
        course, dialect = stage.library.of(place), dialect or stage.state.dialect
        names = stage.state.bindings if course == stage.state.course else stage.state.progress.bindings(course.id)
        try:
            await stage.moves.set_up(course)
            names = stage.moves.fitting(course, place, names, end=end)
            snapshot = await stage.moves.rebuild(course, place, names, dialect, end=end, anew=anew)
        except Exception as error:
            _not_built(stage, place)
            if not isinstance(error, ApplyError):
                raise
            interferes = f" It had just been taken away: {stage.world.at_work()}" if error.errno == "EEXIST" else f" {_NEW_LAB}"
            raise Refusal(f"The lab could not be rebuilt for {place}. {error}{interferes}", code=4) from error
        until_over.enter_context(stage.views.held())
        await stand_at(stage, place)
        stage.state = msgspec.structs.replace(stage.state, bindings=names, verdict=None, notices=Notices(), by_tutor=end, lent=end and not judging)
        _nobodys(stage)
        stage.history.rebuilt(stage.moves.actions(stage.state.course, place, stage.state.bindings, dialect, end=end), place, end=end)
        stage.relive()
    if judging and not end:
        stage.rejudge(looked=True)
    return snapshot


def _not_built(stage: Stage, place: Position) -> None:
    """The lab was taken apart to be built anew, and that failed: what was known of it is so no more, and what is left of it is the tutor's doing."""
    stage.state = msgspec.structs.replace(stage.state, verdict=None, by_tutor=True)
    _nobodys(stage)
    stage.history.not_built(stage.world.baseline, stage.live.last, place)
    stage.relive()


def _nobodys(stage: Stage) -> None:
    """Nothing in the lab is the learner's doing."""
    stage.own_changes.clear()
    stage.ran.clear()
    stage.built_on = False


async def stand_at(stage: Stage, place: Position) -> None:
    """From now on this is the current step, and its course the current one; the lab stays as it is. What the machine lacks for it is asked anew:
    a module may have been loaded since.
    """
    moves, course = place != stage.state.position, stage.library.of(place)
    if moves:
        stage.past.moved_on()
        state = stage.state
        if course != state.course:
            state = msgspec.structs.replace(state, course=course, bindings=state.progress.bindings(course.id), live={})
        stage.state = msgspec.structs.replace(state, position=place, verdict=None, by_tutor=False, lent=False)
        stage.remember(stage.state.progress.at(place))
        stage.refresh_goal()
    lacks = await stage.world.lacking(stage.state.step.needs)
    if moves or lacks != stage.state.lacks:
        stage.state = msgspec.structs.replace(stage.state, lacks=lacks)
        stage.views.tell_status()


async def _insist_on_needs(stage: Stage, place: Position, *, end: bool) -> None:
    """Raises Refusal (3) when the machine lacks what a step needs that has to be done to be at the start of this one, or at its ``end``."""
    course = stage.library.of(place)
    for own in (*before(course, place), *((place,) if end else ())):
        if told := unable(await stage.world.lacking(step_at(course, own).needs), str(own)):
            raise Refusal(told, code=3)


async def play(stage: Stage, on: bool, *, force: bool = False) -> Moved:
    """Enter or leave play mode. Leaving restores the step: its end when it was passed, else its start. Where something goes with that, it is
    refused, unless with ``force``.
    """
    await stage.hold_judging()
    insist(stage, "play")
    playing = stage.mode if isinstance(stage.mode, Play) else None
    if on == (playing is not None):
        return moved(stage, "Play mode is " + ("on" if on else "off") + " already.")
    if playing is None:
        stage.enter(Play(stage.mode, stage.state.position, await stage.passes()))
        stage.views.tell_status()
        return moved(stage, "Play mode: do as you please, nothing is judged. Leave it and the lab is rebuilt for this step.")
    where = f"the {'end' if playing.passed else 'start'} of {playing.place}"
    if not force and (clearing := await going(stage, playing.place, end=playing.passed)):
        raise Refusal(f"To leave play mode the lab is rebuilt for {where}, and what you made goes.", code=1, clearing=clearing)
    stop_playing(stage)
    await rebuild(stage, playing.place, end=playing.passed)
    return moved(stage, f"Play mode is over: the lab is back at {where}.")


async def judge_here(stage: Stage, *, by_tutor: bool = False) -> Judged:
    """Judge the current step, which was looked at just now, and go on with that later when something is still on its way."""
    verdict = await stage.mode.judge(by_tutor=by_tutor, looked=True)
    if verdict.result == "waiting":
        stage.rejudge()
    return judged(stage.state, stage.state.position, verdict)


def moved(stage: Stage, text: str, ended: str = "") -> Moved:
    """Where the lab is now, and what keeps the step there from being done. ``ended``: what that did to a drill; every view was told already."""
    told = " ".join(filter(None, (text, unable(stage.state.lacks))))
    return Moved(str(stage.state.position), stage.state.step.title, told, ended)


def _named(stage: Stage, target: str) -> tuple[Position, ...]:
    """The steps that a person's words mean. Raises Refusal."""
    return stage.library.resolve(target, stage.state.position).positions


async def _to_run(stage: Stage) -> tuple[Position | None, bool]:
    """The current step, or the next when the current one holds already, None at the course's end; and whether that was looked at just now."""
    looked = stage.state.passed
    passes = looked and await stage.passes()
    return after(stage.state.course, stage.state.position) if passes else stage.state.position, looked
