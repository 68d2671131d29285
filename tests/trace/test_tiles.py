"""The log cut into tiles, as C2SP tlog-tiles describes."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trace.ledger.errors import LedgerError, MalformedTile
from trace.ledger.merkle import Frontier, NodeId, leaf_hash, root_of
from trace.ledger.tiles import (
    ENTRIES,
    Tile,
    decode_entries,
    decode_hashes,
    encode_entries,
    encode_hashes,
    new_tiles,
    tile_at,
    tiles_at,
)


@pytest.mark.parametrize(
    ("tile", "path"),
    [
        (Tile(0, 0), "tile/0/000"),
        (Tile(0, 1234067), "tile/0/x001/x234/067"),
        (Tile(3, 999, 7), "tile/3/999.p/7"),
        (Tile(1, 1000, 255), "tile/1/x001/000.p/255"),
        (Tile(ENTRIES, 5), "tile/entries/005"),
        (Tile(ENTRIES, 1234067, 1), "tile/entries/x001/x234/067.p/1"),
        (Tile(63, 0, 1), "tile/63/000.p/1"),
    ],
)
def test_paths_are_written_and_read_as_the_specification_shows(tile: Tile, path: str) -> None:
    assert tile.format() == path
    assert Tile.parse(path) == tile


@pytest.mark.parametrize(
    "path",
    [
        "",
        "tile",
        "tile/0/0",
        "tile/0/00",
        "tile/0/0000",
        "tile/0/x000/001",
        "tile/0/001/067",
        "tile/0/x001",
        "tile/0/000.p/0",
        "tile/0/000.p/256",
        "tile/0/000.p/257",
        "tile/0/000.p/01",
        "tile/0/000.p/",
        "tile/0/000.p",
        "tile/00/000",
        "tile/64/000",
        "tile/-1/000",
        "tile/entries",
        "tile/Entries/000",
        "/tile/0/000",
        "tile/0/000/",
        "tile/0/000\n",
        "tile/0/٠٠٠",
        "tile/0/../000",
        "tile/0/" + "x999/" * 6 + "999",
        "tile/0/" + "x999/" * 1000,
    ],
)
def test_any_other_spelling_of_a_path_is_refused(path: str) -> None:
    with pytest.raises(MalformedTile):
        Tile.parse(path)


@settings(max_examples=200, deadline=None)
@given(st.integers(ENTRIES, 63), st.integers(0, 2**63 - 1), st.integers(1, 256))
def test_every_tile_has_one_path(level: int, n: int, width: int) -> None:
    tile = Tile(level, n, width)
    assert Tile.parse(tile.format()) == tile


@settings(max_examples=200, deadline=None)
@given(st.text("tile/0123x.pentris", max_size=40))
def test_any_path_is_read_or_refused(path: str) -> None:
    try:
        assert Tile.parse(path).format() == path
    except MalformedTile as error:
        assert str(error)


def test_tiles_outside_the_format_cannot_be_named() -> None:
    for level, n, width in ((-2, 0, 1), (64, 0, 1), (0, -1, 1), (0, 2**63, 1), (0, 0, 0), (0, 0, 257)):
        with pytest.raises(MalformedTile):
            Tile(level, n, width)


def test_a_log_of_seventy_thousand_has_these_tiles() -> None:
    size = 70_000
    tiles = list(tiles_at(size))
    at_level = {level: [tile for tile in tiles if tile.level == level] for level in (ENTRIES, 0, 1, 2)}
    assert sum(map(len, at_level.values())) == len(tiles)
    assert at_level[0][-1] == Tile(0, 273, 70_000 % 256)
    assert [(tile.n, tile.width) for tile in at_level[1]] == [(0, 256), (1, 273 - 256)]
    assert at_level[2] == [Tile(2, 0, 1)]
    assert [tile.n for tile in at_level[ENTRIES]] == list(range(274))


def test_no_empty_tile_is_ever_served() -> None:
    assert list(tiles_at(0)) == []
    assert [tile.format() for tile in tiles_at(1)] == ["tile/entries/000.p/1", "tile/0/000.p/1"]
    assert [tile.format() for tile in tiles_at(256)] == ["tile/entries/000", "tile/0/000", "tile/1/000.p/1"]
    assert tile_at(0, 1, 256) is None
    assert tile_at(0, 1, 257) == Tile(0, 1, 1)
    assert tile_at(1, 0, 255) is None


def test_a_tile_is_served_as_far_as_the_log_reaches() -> None:
    assert Tile(0, 1, 4).exists_at(260) and Tile(0, 1, 3).exists_at(260)
    assert not Tile(0, 1, 5).exists_at(260) and not Tile(0, 1).exists_at(511)
    assert Tile(1, 0, 1).exists_at(256) and not Tile(1, 0, 1).exists_at(255)
    assert not Tile(63, 0, 1).exists_at(2**63 - 1)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 1500), st.integers(0, 1500))
def test_a_mirror_that_follows_has_all_that_a_mirror_that_starts_anew_has(old: int, more: int) -> None:
    new = old + more
    held = set(tiles_at(old)) | set(new_tiles(old, new))
    assert set(tiles_at(new)) <= held
    assert not set(new_tiles(old, new)) & set(tiles_at(old))
    assert all(tile.exists_at(new) for tile in held)


def test_hashes_of_a_tile_lead_to_the_nodes_above() -> None:
    leaves = [leaf_hash(b"%d" % i) for i in range(600)]
    _, complete = Frontier().extend(leaves)
    nodes = {NodeId(0, i): leaf for i, leaf in enumerate(leaves)}
    nodes |= {NodeId(level, number): value for level, number, value in complete}
    upper = [nodes[node] for node in Tile(1, 0, 2).nodes]
    for n in (0, 1):
        data = encode_hashes([nodes[node] for node in Tile(0, n).nodes])
        assert root_of(decode_hashes(data, 256)) == upper[n]


@settings(max_examples=60, deadline=None)
@given(st.lists(st.binary(max_size=40), min_size=1, max_size=256))
def test_entries_come_out_of_a_bundle_as_they_went_in(entries: list[bytes]) -> None:
    data = encode_entries(entries)
    assert decode_entries(data, len(entries)) == tuple(entries)
    for bad in (data[:-1], data + b"\x00"):
        with pytest.raises(MalformedTile):
            decode_entries(bad, len(entries))


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=200), st.integers(-1, 300))
def test_any_bytes_are_a_bundle_or_refused(data: bytes, width: int) -> None:
    try:
        assert encode_entries(decode_entries(data, width)) == data
    except LedgerError as error:
        assert str(error)


def test_what_does_not_fit_in_a_tile_is_refused() -> None:
    assert encode_entries([b"\x07" * 0xFFFF])[:2] == b"\xff\xff"
    for entries in ([b"x" * 0x10000], [], [b""] * 257):
        with pytest.raises(MalformedTile):
            encode_entries(entries)
    for hashes in ([], [bytes(31)], [bytes(32)] * 257):
        with pytest.raises(MalformedTile):
            encode_hashes(hashes)
    for data, width in ((bytes(32), 2), (bytes(33), 1), (b"", 0), (bytes(257 * 32), 257)):
        with pytest.raises(MalformedTile):
            decode_hashes(data, width)
