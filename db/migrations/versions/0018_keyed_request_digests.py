"""What a request said is kept as a hash with a key: without it, an ID number in the input could be found by trying."""

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # SECURITY: the hashes that stand there are without a key. One that is empty equals none, so a key from before the upgrade that comes
    # again is refused as used: nothing is done twice.
    op.execute("UPDATE request SET digest = ''")
    op.alter_column(
        "request",
        "digest",
        existing_type=sa.LargeBinary(),
        existing_nullable=False,
        comment="输入的带密钥散列，用于识别同键不同内容",
        existing_comment="输入的散列，用于识别同键不同内容",
    )
