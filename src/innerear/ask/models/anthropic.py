"""`anthropic/MODEL`: Anthropic's models, by the endpoint with which Anthropic serves OpenAI's SDK.

The same requests, retries and errors as `openai/…`; the key comes from ANTHROPIC_API_KEY. Of the
parameters, `seed` and `reasoning_effort` have no effect there
(https://platform.claude.com/docs/en/api/openai-sdk).
"""

from __future__ import annotations

from innerear.ask.models.chat import Chat


class Anthropic(Chat):
    """A model behind Anthropic's server."""

    provider = "anthropic"
    home = "https://api.anthropic.com/v1"
    key_name = "ANTHROPIC_API_KEY"
    url_name = "ANTHROPIC_BASE_URL"
