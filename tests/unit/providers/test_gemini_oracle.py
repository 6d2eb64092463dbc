"""The vendor's own client drives the loopback server, and shows what our adapters ought to send."""

from collections.abc import Iterator
from typing import Any

import pytest
from google import genai
from google.genai import errors, types

from chatsphere.adapters.gemini.answers import GeminiAnswerModel
from chatsphere.adapters.gemini.embedder import GeminiEmbedder
from chatsphere.ports.answers import AnswerRequest, SourcePassage, Turn
from chatsphere.settings import AnswerSettings, EmbeddingSettings
from tests.loopback.gemini_faults import BlocksPrompt, Cuts, Finishes, Garbles, Refuses
from tests.loopback.gemini_model import behave_well
from tests.loopback.gemini_server import GeminiServer, Received

MODEL = "gemini-3.5-flash-lite"
QUESTION = "How much does the Falcon plan cost?"
PASSAGES = (SourcePassage(1, "plans.md", None, "The Falcon plan costs 49 EUR a month."),)
HISTORY = (Turn("user", "What is the Falcon plan?"), Turn("assistant", "A plan for small teams."))


@pytest.fixture(scope="module")
def running() -> Iterator[tuple[GeminiServer, genai.Client]]:
    with GeminiServer() as server:
        yield server, client(server, server.key)


@pytest.fixture
def gemini(running: tuple[GeminiServer, genai.Client]) -> GeminiServer:
    server, _ = running
    server.answer, server.thoughts, server.faults, server.received = behave_well, 0, [], []
    return server


@pytest.fixture
def sdk(running: tuple[GeminiServer, genai.Client]) -> genai.Client:
    return running[1]


def client(gemini: GeminiServer, key: str, version: str | None = None) -> genai.Client:
    # Whatever proxy the machine's environment names, loopback is reached without.
    options = types.HttpOptions(base_url=gemini.url, api_version=version, client_args={"trust_env": False})
    return genai.Client(api_key=key, vertexai=False, http_options=options)


# --------------------------------------------------------------------------------- the server is a Gemini


@pytest.mark.parametrize("version", ["v1", "v1beta"])
def test_it_generates(gemini: GeminiServer, version: str) -> None:
    gemini.says("Hello there.")
    gemini.thoughts = 3
    sdk = client(gemini, gemini.key, version)
    answer = sdk.models.generate_content(model=MODEL, contents="hi")
    assert answer.text == "Hello there."
    assert answer.candidates
    assert answer.candidates[0].finish_reason is types.FinishReason.STOP
    usage = answer.usage_metadata
    assert usage
    assert (usage.prompt_token_count, usage.candidates_token_count, usage.thoughts_token_count) == (1, 3, 3)
    assert gemini.received[0].path == f"/{version}/models/{MODEL}:generateContent"


def test_it_streams(gemini: GeminiServer, sdk: genai.Client) -> None:
    said = "One two three four five six seven. 漢字 🦅"
    gemini.says(said)
    chunks = list(sdk.models.generate_content_stream(model=MODEL, contents="hi"))
    assert len(chunks) > 1
    assert "".join(chunk.text or "" for chunk in chunks) == said
    last = chunks[-1].candidates
    assert last
    assert last[0].finish_reason is types.FinishReason.STOP


def test_it_embeds_each_content_or_merges_parts(sdk: genai.Client) -> None:
    config = types.EmbedContentConfig(output_dimensionality=256)
    apart: Any = [types.Content(parts=[types.Part(text=text)]) for text in "abc"]
    merged: Any = [types.Content(parts=[types.Part(text=text) for text in "abc"])]
    found = [sdk.models.embed_content(model="gemini-embedding-2", contents=it, config=config) for it in (apart, merged)]
    assert [len(answer.embeddings or ()) for answer in found] == [3, 1]
    assert {len(one.values or ()) for answer in found for one in answer.embeddings or ()} == {256}


def test_it_counts_tokens(sdk: genai.Client) -> None:
    assert sdk.models.count_tokens(model=MODEL, contents="Hello, world!").total_tokens == 4


@pytest.mark.parametrize(
    ("status", "name", "kind"),
    [
        (400, "INVALID_ARGUMENT", errors.ClientError),
        (401, "UNAUTHENTICATED", errors.ClientError),
        (403, "PERMISSION_DENIED", errors.ClientError),
        (429, "RESOURCE_EXHAUSTED", errors.ClientError),
        (500, "INTERNAL", errors.ServerError),
        (503, "UNAVAILABLE", errors.ServerError),
    ],
)
def test_its_errors_are_the_clients_own(
    gemini: GeminiServer, sdk: genai.Client, status: int, name: str, kind: type[errors.APIError]
) -> None:
    gemini.faults = [Refuses(status, 7)]
    with pytest.raises(kind) as raised:
        sdk.models.generate_content(model=MODEL, contents="hi")
    assert (raised.value.code, raised.value.status) == (status, name)
    if status == 429:
        assert {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "7s"} in raised.value.details[
            "error"
        ]["details"]


def test_a_wrong_key_and_an_unknown_model_are_its_errors_too(gemini: GeminiServer, sdk: genai.Client) -> None:
    stranger = client(gemini, "wrong")
    with pytest.raises(errors.ClientError, match="API key not valid"):
        stranger.models.generate_content(model=MODEL, contents="hi")
    with pytest.raises(errors.ClientError, match="NOT_FOUND"):
        sdk.models.generate_content(model="no-such-model", contents="hi")


@pytest.mark.parametrize(
    "config",
    [
        {"thinking_config": {"thinking_budget": 0}},
        {"temperature": 3.0},
        {"max_output_tokens": -1},
        {"http_options": {"extra_body": {"surprise": 1}}},
        {"http_options": {"extra_body": {"generationConfig": {"surprise": 1}}}},
    ],
)
def test_what_the_api_does_not_take_is_refused(sdk: genai.Client, config: Any) -> None:
    with pytest.raises(errors.ClientError, match="INVALID_ARGUMENT"):
        sdk.models.generate_content(model=MODEL, contents="hi", config=config)


def test_blocks_are_read_by_the_client(gemini: GeminiServer, sdk: genai.Client) -> None:
    gemini.faults = [BlocksPrompt("SAFETY"), Finishes("RECITATION", events=0)]
    prompt, answer = (sdk.models.generate_content(model=MODEL, contents="hi") for _ in range(2))
    assert prompt.prompt_feedback
    assert prompt.prompt_feedback.block_reason is types.BlockedReason.SAFETY
    assert answer.candidates
    assert answer.candidates[0].finish_reason is types.FinishReason.RECITATION


@pytest.mark.parametrize("fault", [Cuts(events=1), Garbles()])
def test_a_broken_stream_breaks_the_client(gemini: GeminiServer, sdk: genai.Client, fault: Cuts | Garbles) -> None:
    gemini.says("One two three four five six seven.")
    gemini.faults = [fault]
    with pytest.raises(Exception) as raised:
        list(sdk.models.generate_content_stream(model=MODEL, contents="hi"))
    assert not isinstance(raised.value, AssertionError)


# --------------------------------------------------------------------------- what ours sends is what it sends


def sent(call: Received) -> tuple[str, str, Any]:
    """Return method, path and body in the form in which both should be the same.

    Ours may differ in two ways: it writes the field's published name `thinkingLevel` where the client writes
    `thinking_level` (the API takes both), and it leaves out a system instruction's role, which has no meaning.
    """
    body = dict(call.body)
    if "systemInstruction" in body:
        body["systemInstruction"] = {"parts": body["systemInstruction"]["parts"]}
    config = dict(body.get("generationConfig", {}))
    if "thinkingConfig" in config:
        config["thinkingConfig"] = {
            name.replace("thinking_level", "thinkingLevel"): value for name, value in config["thinkingConfig"].items()
        }
        body["generationConfig"] = config
    return call.method, call.path, body


def assert_same(gemini: GeminiServer) -> None:
    ours, theirs = gemini.received
    assert sent(ours) == sent(theirs)
    assert ours.headers["x-goog-api-key"] == theirs.headers["x-goog-api-key"]
    assert ours.headers["content-type"] == theirs.headers["Content-Type"]


@pytest.mark.parametrize("model", ["gemini-embedding-2", "gemini-embedding-001"])
@pytest.mark.parametrize("task", ["RETRIEVAL_DOCUMENT", "RETRIEVAL_QUERY"])
def test_embeddings_are_asked_for_alike(gemini: GeminiServer, sdk: genai.Client, model: str, task: str) -> None:
    first_family = model == "gemini-embedding-001"
    ours = GeminiEmbedder(
        EmbeddingSettings(
            embedder="gemini", gemini_url=gemini.url, gemini_api_key=gemini.key, gemini_embedding_model=model
        )
    )
    texts = ["One.", "Two, Grüße 漢字."]
    if task == "RETRIEVAL_DOCUMENT":
        vectors, prefix = ours.embed_documents(texts), "title: none | text: "
    else:
        texts = texts[:1]
        vectors, prefix = [ours.embed_query(texts[0])], "task: search result | query: "

    contents: Any = [
        types.Content(role="user", parts=[types.Part(text=text if first_family else prefix + text)]) for text in texts
    ]
    config = types.EmbedContentConfig(output_dimensionality=768, task_type=task if first_family else None)
    answer = sdk.models.embed_content(model=model, contents=contents, config=config)

    assert_same(gemini)
    assert len(vectors) == len(answer.embeddings or ())
    # The same vectors, but that ours are of length one.
    for vector, embedding in zip(vectors, answer.embeddings or (), strict=True):
        assert vector == pytest.approx([value / 0.7 for value in embedding.values or ()])


@pytest.mark.parametrize("streamed", [True, False])
def test_answers_are_asked_for_alike(gemini: GeminiServer, sdk: genai.Client, streamed: bool) -> None:
    ours = GeminiAnswerModel(AnswerSettings(answer_model="gemini", gemini_url=gemini.url, gemini_api_key=gemini.key))
    if streamed:
        list(ours.stream(AnswerRequest(QUESTION, PASSAGES, HISTORY, "Be brief.", 0.4, 300)))
    else:
        ours.standalone_question("And how much?", HISTORY)
    body = gemini.received[0].body

    config = types.GenerateContentConfig(
        system_instruction=body["systemInstruction"]["parts"][0]["text"],
        temperature=0.4 if streamed else 0,
        max_output_tokens=300 if streamed else 160,
        thinking_config=types.ThinkingConfig(thinking_level=types.ThinkingLevel.MINIMAL),
    )
    contents: Any = [
        types.Content(role=content["role"], parts=[types.Part(text=content["parts"][0]["text"])])
        for content in body["contents"]
    ]
    if streamed:
        list(sdk.models.generate_content_stream(model=MODEL, contents=contents, config=config))
    else:
        sdk.models.generate_content(model=MODEL, contents=contents, config=config)

    assert_same(gemini)
