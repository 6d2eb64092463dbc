"""What goes wrong while documents are on their way, besides what the failpoints do within the workers."""

import json
import os
import random
import shutil
import signal
import threading
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from infra.local.home import Home
from tests.e2e.vendors import Vendors
from tests.loopback.gemini_faults import Fault as GeminiFault
from tests.loopback.gemini_faults import Garbles, Hangs, Refuses
from tests.loopback.scripted_http import Fault

SHARES: Final = {
    "register_object": 0.2,
    "extract_document": 0.3,
    "embed_chunks": 0.3,
    "purge_deleted": 0.05,
    "reap_stalled": 0.1,
    "reconcile_stores": 0.05,
}
"""Of all kills, by function: those that work in the background. A request of the API that is killed is answered with
an error, and nobody has to find its work again."""

HURRY: Final = 8
"""So much shorter leases are than in the product."""


def install_failpoints(home: Path, seed: int, most_kills: int) -> None:
    """Put the failpoints into an instance's home, not armed."""
    most = {function: max(1, round(share * most_kills)) for function, share in SHARES.items()}
    settings = {"most_kills": most, "hurry": HURRY, "seed": seed}
    folder = home / "failpoints"
    (folder / "kills").mkdir(parents=True)
    shutil.copy(Path(__file__).parent / "failpoints" / "sitecustomize.py", folder)
    (folder / "settings.json").write_text(json.dumps(settings))


@dataclass
class Chaos:
    """Kills the database and lets the vendors fail, again and again, from `begin` to `end`."""

    home: Path
    vendors: Vendors
    dice: random.Random
    database_every: float = 15.0
    done: Counter[str] = field(default_factory=Counter)
    _stopping: threading.Event = field(default_factory=threading.Event)

    def begin(self) -> None:
        """Arm the failpoints and start."""
        (self.home / "failpoints" / "armed").touch()
        self._threads = [
            threading.Thread(target=work, daemon=True) for work in (self._fail_database, self._fail_vendors)
        ]
        for thread in self._threads:
            thread.start()

    def end(self) -> None:
        """Stop, and heal everything."""
        self._stopping.set()
        for thread in self._threads:
            thread.join()
        (self.home / "failpoints" / "armed").unlink()

    @property
    def kills(self) -> Counter[str]:
        """How often each place in the workers was killed."""
        notes = (self.home / "failpoints" / "kills").iterdir()
        return Counter({note.name: note.stat().st_size for note in notes})

    def _fail_database(self) -> None:
        while not self._stopping.wait(self.database_every * self.dice.uniform(0.5, 1.5)):
            try:
                pid = int((Home(self.home).database / "postmaster.pid").read_text().split()[0])
                os.kill(pid, signal.SIGKILL)
            except (OSError, ValueError, IndexError):
                continue
            self.done["database killed"] += 1

    def _fail_vendors(self) -> None:
        gemini, pinecone = self.vendors.gemini, self.vendors.pinecone
        while not self._stopping.wait(self.dice.uniform(1.0, 3.0)):
            # What nobody met in time is taken back: else one call would meet all the faults of a minute.
            gemini.faults.clear()
            pinecone.faults.stop()
            kind = self.dice.randrange(4)
            if kind == 0:
                kinds_of_embedder: tuple[GeminiFault, ...] = (Refuses(429, 0.1), Refuses(503), Refuses(500), Garbles())
                fault = self.dice.choice(kinds_of_embedder)
                gemini.faults += [fault] * self.dice.randint(1, 6)
                self.done["embedder refuses"] += 1
            elif kind == 1 and self.dice.random() < 0.4:
                gemini.faults.append(Hangs())
                self.done["embedder hangs"] += 1
            elif kind == 2:
                kinds = (Fault.OVERLOADED, Fault.UNAVAILABLE, Fault.LOST, Fault.CUT, Fault.MALFORMED)
                pinecone.faults.queue(*[self.dice.choice(kinds)] * 3)
                self.done["vector store refuses"] += 1
            elif self.dice.random() < 0.3:
                self._vector_store_away()
        gemini.faults.clear()
        pinecone.faults.stop()

    def _vector_store_away(self) -> None:
        self.vendors.pinecone.faults.every(1, Fault.UNAVAILABLE)
        self.done["vector store away"] += 1
        self._stopping.wait(3.0)
        self.vendors.pinecone.faults.stop()
