"""Can a language model that has never heard anything write a sound?"""

__version__ = "0.1.0"
