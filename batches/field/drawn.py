"""What the field app shows and plays: drawings by name, and sounds that the village recorded itself.

A sound stands at static/sounds/<language>/<key>.mp3, such as `blt/ask-harvest.mp3`. Keys: `ask-<stage>`,
`stage-<stage>`, `material-<material>`, `reason-<reason>`, `reading-<type>`, and the names of the app's own sentences
in templates/field/words.html. Where there is none, the phone's own voice speaks the Vietnamese words.
"""

from batches.processes.catalogue import all_processes
from batches.processes.models import Process
from village.settings import ROOT

PICTURES = (
    "soi", "home", "proof", "help", "house", "people", "weather", "phone-offline", "camera", "scales", "spilt",
    "pencil", "poor", "good", "clock", "voice", "split", "merge", "lose", "buy", "money", "bin", "more", "records",
    "stock", "seal", "field", "pair",
)  # fmt: skip
"""The app's own drawings, beside those that the processes name."""
SOUNDS = ROOT / "static" / "sounds"


def pictures() -> tuple[str, ...]:
    """Every drawing that the app may show, by its name in static/pictures."""
    return tuple(dict.fromkeys((*PICTURES, *(one for process in all_processes().values() for one in _named(process)))))


def sounds() -> tuple[str, ...]:
    """The recorded sounds, by their path under static/sounds."""
    return tuple(str(path.relative_to(SOUNDS)) for path in sorted(SOUNDS.glob("*/*.mp3")))


def _named(process: Process) -> list[str]:
    stages = [one for stage in process.stages for one in (stage.picture, *(r.picture for r in stage.reasons))]
    return [*(material.picture for material in process.materials), *stages]
