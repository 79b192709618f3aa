"""A benchmark that anyone can run: `python -m tests.bench`. The product as users get it, beside what a county would use instead.

Every contestant answers the same questions of the same callers over the same rows, or nothing is measured.
"""
