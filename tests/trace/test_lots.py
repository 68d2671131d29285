"""`/api/batches`: a batch and its family, as members' programs read them."""

from typing import Any

from flask.testing import FlaskClient

from tests.support.village import Village


def get(client: FlaskClient, village: Village, who: str, path: str) -> dict[str, Any]:
    answer = client.get(path, headers={"Authorization": f"Bearer {village.token(who)}"})
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.get_json()
    return found


def test_what_is_left_is_told_to_its_own_people_only(village: Village, client: FlaskClient) -> None:
    batch = village.packs(40)
    assert client.get(f"/api/batches/{batch}").status_code == 401
    for who, mine in (("producer", True), ("office", True), ("producer-b", False), ("office-other", False)):
        told = get(client, village, who, f"/api/batches/{batch}")
        assert told["units"] == 40
        assert ("left_units" in told) is mine
        assert sum(one["percent"] for one in told["origins"]) == 100, "what the scan page says to anybody"


def test_the_graph_runs_up_to_the_field_and_down_to_the_packs(village: Village, client: FlaskClient) -> None:
    tuber = village.made("harvest", "tuber", 100_000, days_ago=4)
    one = village.made("settle", "wet-starch", 10_000, (tuber, 50_000), days_ago=3)
    village.made("settle", "wet-starch", 10_000, (tuber, 50_000), days_ago=3)
    ways = ((tuber, "down", 3, 2), (one, "up", 2, 1), (one, "down", 1, 0), (tuber, "both", 3, 2))
    for start, direction, nodes, edges in ways:
        told = get(client, village, "auditor", f"/api/batches/{start}/graph?direction={direction}")
        assert (len(told["nodes"]), len(told["edges"])) == (nodes, edges)
    told = get(client, village, "auditor", f"/api/batches/{one}/graph?direction=up")
    (edge,) = told["edges"]
    assert edge == {"from": tuber, "to": one, "grams": 50_000, "event": edge["event"]}


def test_an_unknown_batch_or_direction_is_a_clear_error(village: Village, client: FlaskClient) -> None:
    headers = {"Authorization": f"Bearer {village.token('auditor')}"}
    assert client.get("/api/batches/none", headers=headers).status_code == 404
    answer = client.get("/api/batches/none/graph?direction=left", headers=headers)
    assert answer.status_code == 422
    assert answer.content_type == "application/problem+json"
