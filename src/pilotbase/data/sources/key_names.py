"""What a column is called that names records."""

from __future__ import annotations

import re

KEY_NAME = re.compile(
    r"(^|[_\s.-])(id|uid|uuid|guid|key|no|nr|number|code)$|^id[_\s]|编号|序号|主键|流水号|单号|^path$", re.IGNORECASE
)
