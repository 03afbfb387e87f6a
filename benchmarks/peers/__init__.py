"""Other ways to run an agent on Temporal: worker programs that do the same work, in an environment of their own.

But for ``__main__`` nothing here may import Surefoot, which is not installed in ``.venv-peers``.
"""
