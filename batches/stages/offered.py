"""What process files tell the room below: what a gram of each material counts, and what a loss's reasons are called."""

from batches.processes.catalogue import process_of


def weigh(process: str, version: int, stage: str, material: str) -> int:
    """The middle of the usual yield, in half basis points; 1 where the stage bounds none, as a blend of one material.

    Also 1 for a version or stage that is not in the village's files, as in what an older program recorded.
    """
    try:
        found = process_of(process, version).stage(stage)
    except KeyError:
        return 1
    bounds = found.yields.get(material)
    return bounds.usual_min + bounds.usual_max if bounds else 1


def reason_name(process: str, version: int, stage: str, reason: str) -> tuple[str, str] | None:
    """A reason of a loss in Vietnamese and in English, as its process file has it; None for one that it has not."""
    try:
        reasons = process_of(process, version).stage(stage).reasons
    except KeyError:
        return None
    return next(((one.name.vi, one.name.en) for one in reasons if one.key == reason), None)
