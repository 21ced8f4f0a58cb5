"""`anthropic/MODEL`: Anthropic's models, through Anthropic's endpoint for OpenAI's SDK.

Requests, retries and errors are those of `openai/…`; the key is in ANTHROPIC_API_KEY. The parameters
`seed` and `reasoning_effort` have no effect there
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
