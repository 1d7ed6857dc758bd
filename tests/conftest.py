"""Tests compute with one thread and in one precision, so that no outcome depends on the machine.

Small models gain nothing by more threads, and threads that wait for each other on busy cores take many
times as long. `TRISCRIBE_PRECISION=bf16` runs all tests in bf16 instead of fp32.
"""

import os
import signal

for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMBA_NUM_THREADS"):
    os.environ[name] = "1"  # also of the commands that tests start
os.environ.setdefault("TRISCRIBE_PRECISION", "fp32")
# Shells have what they run in the background ignore Ctrl-C, and the commands that tests interrupt with it.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

import cv2  # noqa: E402
import pytest  # noqa: E402
import torch  # noqa: E402

cv2.setNumThreads(1)


@pytest.fixture(scope="module", autouse=True)
def one_thread():
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(1)
