"""`openai/MODEL`: OpenAI chat completions, and any server with the same API (`base_url`).

The key in OPENAI_API_KEY is sent only to the server; if the server echoes it, it is blanked in rows,
errors and logs. Retries use full jitter (Brooker, "Exponential Backoff And Jitter", 2015), never sooner
than Retry-After, for up to `patience_s`.
A reply that is not a chat completion (a proxy's page, half a body) is retried like an error.
"""

from __future__ import annotations

import asyncio
import dataclasses
import importlib
import logging
import os
import random
import time
from collections.abc import Collection, Iterable, Mapping, Sequence
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urlsplit

import msgspec

from innerear.ask.models.base import ModelUnusable, Options, Reply, Wait
from innerear.ask.models.prices import find_price
from innerear.errors import ModelError, UsageError
from innerear.languages import Language
from innerear.records import Completion, Message, Probe
from innerear.text import clock

OPENAI = "https://api.openai.com/v1"
LONGEST_TEXT = 1 << 20
"""Characters of a reply that are kept; `finish_reason` says if there were more."""
LONGEST_BODY = 64 << 20
"""Bytes of a response that are read."""
FIRST_CONTACT_S = 20.0
"""Patience with a server that has never answered: it is not running, or its address is wrong."""

_BACKOFF_S, _LONGEST_BACKOFF_S = 0.5, 60.0
_NEVER = float("-inf")
_OURS = {"model", "messages", "stream", "stream_options", "n"}
_log = logging.getLogger(__name__)


class _Passing(Exception):
    """A transient error: retry after at least `wait_s` seconds."""

    def __init__(self, what: str, wait_s: float = 0.0) -> None:
        super().__init__(what)
        self.wait_s = wait_s


class Chat:
    """A model behind an OpenAI-compatible server."""

    provider = "openai"
    home = OPENAI
    key_name = "OPENAI_API_KEY"
    url_name = "OPENAI_BASE_URL"
    remote = True
    converses = True
    languages: Collection[Language] = ()
    after: str | None = None
    plugin = ""

    def __init__(self, model: str, options: Options) -> None:
        self.name = f"{self.provider}/{model}"
        self.concurrency = options.concurrency
        self._model = model
        self._options = options
        base_url = options.base_url or os.environ.get(self.url_name) or self.home
        self._base_url, self.endpoint = base_url, shown_url(base_url)
        self._key = os.environ.get(self.key_name, "").strip()
        if not model:
            raise UsageError(f"{self.provider}/ names no model; wanted {self.provider}/MODEL")
        if not (self._key.isascii() and self._key.isprintable()):
            raise UsageError(f"{self.key_name} contains characters that no key has; set it again")
        if not self._key and self.endpoint == self.home and options.asks:
            raise UsageError(f"{self.name} needs a key in {self.key_name}; your own server needs its base URL")
        if taken := _OURS & options.parameters.keys():
            raise UsageError(f"{', '.join(sorted(taken))} cannot be set as a parameter of {self.name}")
        self.price = find_price(self.name, self.endpoint == self.home)
        self._client: Any = None
        self._cut: tuple[type[Exception], ...] = ()
        self._answered = self._heard = _NEVER  # when the last answer came, or an error by the protocol
        self._waits: dict[object, Wait] = {}

    @property
    def waits(self) -> Collection[Wait]:
        """The requests in flight and those waiting for a retry."""
        return list(self._waits.values())

    def lacks(self, probes: Sequence[Probe], attempts: int) -> str:
        """Nothing: only recordings do."""
        return ""

    def prepare(self, probes: Sequence[Probe], completions: Iterable[Completion]) -> None:
        """Check that the SDK is installed.

        Raises:
            UsageError: it is not.
        """
        if not self._options.asks:
            return
        try:
            import openai
        except ImportError as error:
            raise UsageError(f"{self.name} needs a package: pip install 'innerear[openai]'") from error
        # the SDK's HTTP library (httpx or a successor): its errors are raised while a body is read
        client = next(base for base in openai.DefaultAsyncHttpxClient.__mro__ if base.__name__ == "AsyncClient")
        http = importlib.import_module(client.__module__.partition(".")[0])
        self._cut = (openai.OpenAIError, http.HTTPError, http.StreamError, OSError)
        self._answered = self._heard = _NEVER

    def identity(self, probe: Probe, attempt: int) -> dict[str, Any]:
        """The endpoint, without user names and passwords, and the parameters."""
        return {"endpoint": self.endpoint, "parameters": self._parameters(attempt)}

    def _parameters(self, attempt: int) -> dict[str, Any]:
        parameters = dict(self._options.parameters)
        if isinstance(seed := parameters.get("seed"), int):
            parameters["seed"] = seed + attempt
        return parameters

    async def ask(self, probe: Probe, messages: Sequence[Message], attempt: int) -> Reply:
        """Return one answer, retrying for up to `patience_s`."""
        request = object()
        try:
            return await self._patiently(request, probe, messages, attempt)
        finally:
            self._waits.pop(request, None)

    async def _patiently(self, request: object, probe: Probe, messages: Sequence[Message], attempt: int) -> Reply:
        begun, since = time.monotonic(), time.time()
        tries, why = 0, ""
        while True:
            sent = time.monotonic()
            left_s = self._options.patience_s - (sent - begun)
            patience_s = self._patience_s() if tries else self._options.patience_s
            self._waits[request] = Wait(self.name, since, since + patience_s, tries, why)
            try:
                reply = await self._once(messages, attempt, min(self._options.timeout_s, left_s))
            except _Passing as passing:
                backoff_s = min(_LONGEST_BACKOFF_S, _BACKOFF_S * 2 ** min(tries, 20))
                tries, why = tries + 1, str(passing)
                wait_s = passing.wait_s + random.uniform(0, backoff_s)
                waited_s = time.monotonic() - begun
                patience_s = self._patience_s()
                if waited_s + wait_s > patience_s:
                    # if no request was answered meanwhile, the server is down for all
                    gone = ModelUnusable if self._answered < begun else ModelError
                    times = f"{tries} time{'s' if tries > 1 else ''} in {waited_s:.0f} s"
                    raise gone(f"{self.name} at {self.endpoint}: {passing}; tried {times}") from None
                self._waits[request] = Wait(self.name, since, since + patience_s, tries, why)
                _log.info(
                    "%s, %s: %s; tried %d times, again in %.1f s, until %s",
                    *(self.name, probe.id, passing, tries, wait_s, clock(since + patience_s)),
                )
                await asyncio.sleep(wait_s)
            else:
                self._answered = self._heard = time.monotonic()
                return dataclasses.replace(reply, seconds=self._answered - sent, retries=tries)

    def _patience_s(self) -> float:
        return min(self._options.patience_s, FIRST_CONTACT_S if self._heard == _NEVER else float("inf"))

    async def _once(self, messages: Sequence[Message], attempt: int, limit_s: float) -> Reply:
        import openai

        if self._client is None:
            self._client = openai.AsyncOpenAI(
                api_key=self._key or "none",
                base_url=self._base_url,
                max_retries=0,
                timeout=openai.Timeout(self._options.timeout_s, connect=min(10.0, self._options.timeout_s)),
            )
        # in extra_body the SDK sends messages as they are; as an argument it would walk through each
        said = [{"role": message.role, "content": message.content} for message in messages]
        extra: dict[str, Any] = {"messages": said, **self._parameters(attempt)}
        if self._options.stream:
            extra["stream_options"] = {"include_usage": True}
        body = bytearray()
        try:
            async with (
                asyncio.timeout(limit_s),
                self._client.chat.completions.with_streaming_response.create(
                    model=self._model,
                    messages=[],
                    stream=self._options.stream,
                    extra_body=extra,
                ) as response,
            ):
                kind = response.headers.get("content-type", "")
                async for chunk in response.iter_bytes():
                    body += chunk
                    if len(body) > LONGEST_BODY:
                        raise ModelError(f"{self.name}: the response has more than {LONGEST_BODY >> 20} MB")
        except openai.APIStatusError as error:
            self._heard = time.monotonic()
            raise self._refused(error.status_code, error.body, error.response.headers) from None
        except (TimeoutError, openai.APITimeoutError):
            raise _Passing(f"no answer within {limit_s:.3g} s") from None
        except self._cut as error:
            raise _Passing(self._clean(f"the connection failed ({error.__cause__ or error})")) from None
        return self._read(bytes(body), kind)

    def _read(self, body: bytes, kind: str) -> Reply:
        """The answer in a response's body, plain or as server-sent events."""
        streamed = "event-stream" in kind
        hint = "" if self._answered > _NEVER else "; the base URL mostly ends in /v1"
        if not streamed and not body.lstrip().startswith(b"{"):
            got = self._clean(kind or "an unnamed type") if body.strip() else "an empty body"
            raise _Passing(f"the server answers with {got}, wanted a chat completion{hint}")
        try:
            answers = list(_events(body)) if streamed else [msgspec.json.decode(body, type=_Answer)]
        except (msgspec.DecodeError, RecursionError) as error:
            raise _Passing(self._clean(f"the response is cut off or malformed ({error})")) from None
        choices = [answer.choices[0] for answer in answers if answer.choices]
        reasons = [choice.finish_reason for choice in choices if choice.finish_reason]
        finish_reason = reasons[-1] if reasons else None
        for answer in answers:
            if answer.error is not None:
                code = answer.error.get("code") if isinstance(answer.error, dict) else None
                raise self._refused(code if isinstance(code, int) else 500, answer.error, {})
        if streamed and finish_reason is None and not body.rstrip().endswith(b"[DONE]"):
            raise _Passing("the stream was cut off")
        said = [part for choice in choices if (part := choice.message or choice.delta)]
        if not said:
            raise _Passing(f"the response holds no message, wanted a chat completion{hint}")
        text = self._blank("".join(part.content or part.refusal or "" for part in said))
        if len(text) > LONGEST_TEXT:
            text, finish_reason = text[:LONGEST_TEXT], f"cut, had {len(text)} characters"
        counts = next((answer.usage for answer in reversed(answers) if answer.usage), None)
        return Reply(text, finish_reason, counts.tokens() if counts else None)

    def _refused(self, status: int, body: object, headers: Mapping[str, str]) -> Exception:
        """The exception for a status other than 200, with the server's message, shortened."""
        fields = body if isinstance(body, dict) else {}
        words = self._clean(str(fields.get("message") or body or "no reason given"))
        if status in (401, 403, 404) and self._answered > _NEVER and "html" in headers.get("content-type", ""):
            return _Passing(f"something before the server answers {status} with a page")
        if status in (401, 403):
            return ModelUnusable(
                f"{self.name}: {self.endpoint} refuses the key in {self.key_name} ({status}); set a valid one"
            )
        if status == 404:
            return ModelUnusable(f"{self.name}: {self.endpoint} has no such model (404): {words}")
        if status == 402 or fields.get("code") == "insufficient_quota":
            return ModelUnusable(f"{self.name}: {self.endpoint} requires payment ({status}): {words}")
        if status in (408, 409, 425, 429) or status >= 500:
            return _Passing(f"the server answers {status}: {words}", retry_after_s(headers))
        return ModelError(f"{self.name}: {self.endpoint} refuses the request ({status}): {words}")

    def _blank(self, text: str) -> str:
        return text.replace(self._key, "[key]") if len(self._key) >= 8 else text

    def _clean(self, text: str) -> str:
        """One short line, with the key blanked."""
        return " ".join(self._blank(text[:10_000]).split())[:300]

    async def close(self) -> None:
        """Close the connections."""
        if self._client is not None:
            client, self._client = self._client, None
            await client.close()


class _Said(msgspec.Struct):
    content: str | None = None
    refusal: str | None = None


class _Choice(msgspec.Struct):
    message: _Said | None = None
    delta: _Said | None = None
    finish_reason: str | None = None


class _Usage(msgspec.Struct):
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    completion_tokens_details: dict[str, Any] | None = None

    def tokens(self) -> dict[str, int] | None:
        """Token counts by name, as reported by the server."""
        counts = {
            "prompt_tokens": self.prompt_tokens,
            "completion_tokens": self.completion_tokens,
            "reasoning_tokens": (self.completion_tokens_details or {}).get("reasoning_tokens"),
        }
        return {name: n for name, n in counts.items() if isinstance(n, int) and 0 <= n < 1 << 53} or None


class _Answer(msgspec.Struct):
    choices: list[_Choice] = []
    usage: _Usage | None = None
    error: Any = None


_event_decoder = msgspec.json.Decoder(_Answer)


def _events(body: bytes) -> Iterable[_Answer]:
    for line in body.splitlines():
        data = line.removeprefix(b"data:").strip()
        if line.startswith(b"data:") and data != b"[DONE]":
            yield _event_decoder.decode(data)


def retry_after_s(headers: Mapping[str, str], now: float | None = None) -> float:
    """Seconds to wait as requested by the server, at least 0: `retry-after-ms`, or Retry-After in either form.

    >>> retry_after_s({"retry-after": "3"})
    3.0
    >>> retry_after_s({"retry-after": "Thu, 01 Jan 1970 00:00:10 GMT"}, now=4.0)
    6.0
    """
    milliseconds, text = headers.get("retry-after-ms", ""), headers.get("retry-after", "")
    for number, scale in ((milliseconds, 1e-3), (text, 1.0)):
        try:
            seconds = float(number) * scale
        except ValueError:
            continue
        return max(0.0, seconds) if seconds < float("inf") else 0.0
    try:
        return max(0.0, parsedate_to_datetime(text).timestamp() - (time.time() if now is None else now))
    except (ValueError, TypeError, OverflowError):
        return 0.0


def shown_url(base_url: str) -> str:
    """The URL without user, password and query, for display and for keys."""
    try:
        parts = urlsplit(base_url)
        port = f":{parts.port}" if parts.port else ""
    except ValueError:
        parts, port = urlsplit(""), ""
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise UsageError(
            "the base URL is not an http:// or https:// address; wanted one such as http://localhost:8000/v1"
        )
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    return f"{parts.scheme}://{host}{port}{parts.path.rstrip('/')}"
