"""Arrays in NumPy's files: the same `mean` and `std` in each.

    python make.py      # NumPy 2.4; writes the files beside this one

The `old` ones name NumPy 1's modules, as files of before 2024 do, and one is what Python 2 wrote.
"""
import pathlib
import pickle

import numpy as np

folder = pathlib.Path(__file__).parent
mean = np.float32([[0.5, -1.25, 3], [1e-3, 7, -0.0]])
arrays = {"mean": mean, "std": np.arange(6.0)[::2] / 3, "names": np.array(["a", "b"]), "count": np.int64(7), "note": "x"}
for protocol in (2, 3, 4, 5):
    data = pickle.dumps(arrays, protocol)
    (folder / f"protocol{protocol}.pkl").write_bytes(data)
    old = pickle.dumps(arrays, protocol).replace(b"cnumpy._core.", b"cnumpy.core.")
    if protocol < 4:
        (folder / f"protocol{protocol}_old.pkl").write_bytes(old)
fortran = {"mean": np.asfortranarray(mean), "std": arrays["std"].astype(">f8")}
(folder / "fortran.pkl").write_bytes(pickle.dumps(fortran, 4))
(folder / "fortran5.pkl").write_bytes(pickle.dumps(fortran, 5))
np.savez(folder / "arrays.npz", **fortran)
np.savez_compressed(folder / "compressed.npz", **arrays)
np.save(folder / "mean.npy", np.asfortranarray(mean))
np.save(folder / "half.npy", mean.astype(np.float16))
# As 3DDFA_V2's param_mean_std_62d_120x120.pkl: 12 numbers of the pose, 40 of the shape, 10 of the expression.
whitening = {"mean": np.arange(62, dtype=np.float32) / 8, "std": np.arange(1, 63, dtype=np.float32)}
(folder / "whitening.pkl").write_bytes(pickle.dumps(whitening, 3))
