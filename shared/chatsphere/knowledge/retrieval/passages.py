"""Turns hits into the passages that an answer model is given: neighbours joined, repetitions dropped, packed."""

from collections.abc import Callable, Iterable, Sequence

from chatsphere.knowledge.retrieval.embedding_text import HEADING_SEPARATOR
from chatsphere.knowledge.retrieval.folding import Fingerprint
from chatsphere.knowledge.retrieval.models import Hit, Passage, Piece


def assemble(
    hits: Sequence[Hit], token_budget: int, count_tokens: Callable[[str], int], *, neighbours: Sequence[Hit] = ()
) -> list[Passage]:
    """Return passages of at most `token_budget` tokens together, the one with the best hit first.

    Hits are taken in their order; one that repeats a better one, or does not fit any more, is left out. What they leave
    of the budget goes to the neighbours, those of the best hits first. Chunks that follow each other in a document
    become one passage.
    """
    chosen: list[Hit] = []
    seen: list[Fingerprint] = []
    left = token_budget
    for hit in hits:
        fingerprint = Fingerprint(hit.content)
        if any(fingerprint.repeats(other) for other in seen):
            continue
        tokens = count_tokens(hit.content)
        if tokens <= left:
            chosen.append(hit)
            seen.append(fingerprint)
            left -= tokens
    chosen += _beside(chosen, neighbours, left, count_tokens)
    passages = [_join(run) for run in _runs(chosen)]
    return sorted(passages, key=lambda passage: -passage.score)


def _beside(
    chosen: Sequence[Hit], neighbours: Sequence[Hit], left: int, count_tokens: Callable[[str], int]
) -> list[Hit]:
    """Return the neighbours that fit into what is left, the nearest of the best hit first; none across a gap."""
    standing = {(hit.document_id, hit.ordinal): hit for hit in neighbours}
    known = {(hit.document_id, hit.ordinal) for hit in chosen}
    beside: list[Hit] = []
    for hit in chosen:
        for step in (1, -1):
            place = hit.ordinal + step
            while (hit.document_id, place) in standing or (hit.document_id, place) in known:
                if (hit.document_id, place) not in known:
                    neighbour = standing[hit.document_id, place]
                    tokens = count_tokens(neighbour.content)
                    if tokens > left:
                        break
                    left -= tokens
                    known.add((hit.document_id, place))
                    beside.append(neighbour)
                place += step
    return beside


def _runs(hits: Iterable[Hit]) -> list[list[Hit]]:
    """Group hits that follow each other in their document, in the document's order."""
    runs: list[list[Hit]] = []
    for hit in sorted(hits, key=lambda hit: (hit.document_id, hit.ordinal)):
        if runs and _follows(runs[-1][-1], hit):
            runs[-1].append(hit)
        else:
            runs.append([hit])
    return runs


def _follows(before: Hit, after: Hit) -> bool:
    return (
        after.document_id == before.document_id
        and after.ordinal == before.ordinal + 1
        and after.char_start >= before.char_end
    )


def _join(run: Sequence[Hit]) -> Passage:
    content, pieces = "", []
    for number, hit in enumerate(run):
        if number:
            content += _gap(run[number - 1], hit)
        start = len(content)
        content += hit.content
        pieces.append(Piece(hit.chunk_id, start, len(content), hit.page_start, hit.page_end, hit.heading))
    first, last = run[0], run[-1]
    return Passage(
        document_id=first.document_id,
        document_name=first.document_name,
        heading=_common_heading([hit.heading for hit in run]),
        content=content,
        char_start=first.char_start,
        char_end=last.char_end,
        page_start=first.page_start,
        page_end=last.page_end,
        score=max(hit.score for hit in run),
        pieces=tuple(pieces),
    )


def _gap(before: Hit, after: Hit) -> str:
    """Return the white space between two chunks: of the canonical text's length, so that offsets hold."""
    length = after.char_start - before.char_end
    # Inside a block, chunks part at a line of a table or at a sentence.
    in_lines = "\n" in before.content or "\n" in after.content
    return " " if length == 1 and not in_lines else "\n" * length


def _common_heading(headings: Sequence[str | None]) -> str | None:
    """Return the headings, the outermost first, that all chunks of a passage stand under."""
    paths = [heading.split(HEADING_SEPARATOR) if heading else [] for heading in headings]
    common = paths[0]
    for path in paths[1:]:
        shared = [ours == theirs for ours, theirs in zip(common, path, strict=False)]
        common = common[: shared.index(False) if False in shared else len(shared)]
    return HEADING_SEPARATOR.join(common) or None
