"""The encoder alone, under the compiler's sanitizers, beside a decoder that knows nothing of its ways."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

HERE = Path(__file__).parent
SANITIZERS = "-fsanitize=address,undefined"


def test_random_images_come_back_and_nothing_is_touched_that_is_not_ours(tmp_path: Path) -> None:
    compiler = shutil.which("cc")
    if compiler is None:
        pytest.skip("there is no C compiler")
    build = [compiler, "-std=c11", "-g", "-O1", SANITIZERS, "-fno-sanitize-recover=all", f"-I{HERE.parent / 'src'}"]
    (tmp_path / "empty.c").write_text("int main(void) { return 0; }\n")
    tried = subprocess.run([*build, tmp_path / "empty.c", "-o", tmp_path / "empty"], check=False, capture_output=True)
    if tried.returncode:
        pytest.skip("this compiler has no sanitizers")
    sources = [HERE / "roundtrip.c", HERE.parent / "src" / "encoder.c"]
    subprocess.run([*build, *sources, "-o", tmp_path / "roundtrip"], check=True)
    done = subprocess.run([tmp_path / "roundtrip", "2000"], check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "2000 images came back" in done.stdout
