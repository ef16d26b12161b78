"""Import statements whose names move: merged, split, and laid out as they were."""

from __future__ import annotations

import pytest

from lintkeras import engine
from lintkeras.fixes import Consent, fix

LONG = ", ".join(f"Conv{n}D, MaxPooling{n}D, AveragePooling{n}D" for n in (1, 2, 3))
CASES = {
    # one name, and a name of its own
    "from keras.layers.core import Dense\n": "from keras.layers import Dense\n",
    "from keras.layers.core import Dense as D\n": "from keras.layers import Dense as D\n",
    # comments and layout stay
    "from keras.layers.core import Dense  # why\n": "from keras.layers import Dense  # why\n",
    "# why\nfrom keras.layers.core import (  # all\n    Dense,  # one\n    Dropout,\n)\n": (
        "# why\nfrom keras.layers import (  # all\n    Dense,  # one\n    Dropout,\n)\n"
    ),
    "from keras.layers.core import Dense, \\\n    Dropout\n": (
        "from keras.layers import Dense, \\\n    Dropout\n"
    ),
    "from keras.layers.core import (Dense,\n                               Dropout)\n": (
        "from keras.layers import Dense, Dropout\n"
    ),
    # two statements, an existing one above, one below, a name that is there
    "from keras.layers.core import Dense\nfrom keras.layers.pooling import MaxPooling2D\n": (
        "from keras.layers import Dense, MaxPooling2D\n"
    ),
    "from keras.layers import Input\nimport os\nfrom keras.layers.core import Dense\n": (
        "from keras.layers import Input, Dense\nimport os\n"
    ),
    "from keras.layers.core import Dense\nfrom keras.layers import Input\n": (
        "from keras.layers import Input, Dense\n"
    ),
    "from keras.layers.core import Dense\nDense(1)\nfrom keras.layers import Input\n": (
        "from keras.layers import Dense\nDense(1)\nfrom keras.layers import Input\n"
    ),
    "from keras.layers import Dense\nfrom keras.layers.core import Dense, Dropout\n": (
        "from keras.layers import Dense, Dropout\n"
    ),
    # a statement with a comment is not merged away; one with comments takes names up
    "from keras.layers import Input\nfrom keras.layers.core import Dense  # why\n": (
        "from keras.layers import Input\nfrom keras.layers import Dense  # why\n"
    ),
    "from keras.layers import (\n    Input,  # why\n)\nfrom keras.layers.core import Dense\n": (
        "from keras.layers import (\n    Input, Dense,  # why\n)\n"
    ),
    # long lines
    f"from keras.layers import {LONG}\nfrom keras.layers.core import Dense\n": (
        "from keras.layers import (\n    " + ",\n    ".join(LONG.split(", ")) + ",\n    Dense,\n)\n"
    ),
    "from keras.layers import (Input,\n                          Add)\nfrom keras.layers.core import Dense\n": (
        "from keras.layers import Input, Add, Dense\n"
    ),
    "from keras.layers import (\n    Input,\n    Add,\n)\nfrom keras.layers.core import Dense\n": (
        "from keras.layers import (\n    Input,\n    Add,\n    Dense,\n)\n"
    ),
    # several places
    "from keras.engine import Layer, Model\n": (
        "from keras.layers import Layer\nfrom keras.models import Model\n"
    ),
    "def f():\n    from keras.engine import Layer, Model\n    return Layer, Model\n": (
        "def f():\n    from keras.layers import Layer\n    from keras.models import Model\n"
        "    return Layer, Model\n"
    ),
    "import os; from keras.engine import Layer, Model; x = 1\n": (
        "import os; from keras.layers import Layer; from keras.models import Model; x = 1\n"
    ),
    # what nothing replaces stays
    "from keras.layers.core import Dense, MaxoutDense\n": (
        "from keras.layers import Dense\nfrom keras.layers.core import MaxoutDense\n"
    ),
    # modules
    "from keras.utils import np_utils, plot_model\nnp_utils.to_categorical([1], 2)\n": (
        "from keras.utils import to_categorical, plot_model\nto_categorical([1], 2)\n"
    ),
    "from keras.utils import np_utils\n\ndef to_categorical(x):\n    return np_utils.to_categorical(x)\n": (
        "from keras import utils as np_utils\n\ndef to_categorical(x):\n"
        "    return np_utils.to_categorical(x)\n"
    ),
    "from keras.utils import np_utils as u\nu.to_categorical([1], 2)\n": (
        "from keras import utils as u\nu.to_categorical([1], 2)\n"
    ),
    "from keras import objectives\nf = objectives.mse\n": (
        "from keras.losses import mean_squared_error\nf = mean_squared_error\n"
    ),
    "import keras.objectives as o\nf = o.mse\n": (
        "import keras.losses as o\nf = o.mean_squared_error\n"
    ),
    "import keras.layers.core\nx = keras.layers.core.Dense(1)\n": (
        "import keras.layers\nx = keras.layers.Dense(1)\n"
    ),
    "import keras.backend.tensorflow_backend as K\nx = K.mean(1)\n": (
        "import keras.backend as K\nx = K.mean(1)\n"
    ),
    # star imports
    "from keras.layers.core import *\nx = Dense(1)\ny = Dropout(0.1)\n": (
        "from keras.layers import Dense, Dropout\nx = Dense(1)\ny = Dropout(0.1)\n"
    ),
    "from keras.layers.core import *\n": "from keras.layers import *\n",
    # dotted names, by the name that is there or by a new one
    "from keras import layers\nx = layers.core.Dense(1)\n": (
        "from keras import layers\nx = layers.Dense(1)\n"
    ),
    "from keras import optimizers\nx = optimizers.legacy.Adam(0.1)\n": (
        "from keras import optimizers\nx = optimizers.Adam(0.1)\n"
    ),
    "from keras.optimizers import legacy\nx = legacy.Adam(0.1)\n": (
        "from keras import optimizers\nfrom keras.optimizers import legacy\nx = optimizers.Adam(0.1)\n"
    ),
}


@pytest.mark.parametrize("source", CASES)
def test_moves(source: str) -> None:
    def lint(data: bytes) -> engine.FileReport:
        return engine.lint("x.py", data, "python", {"LK601", "LK602"})

    done = fix(source.encode(), Consent(unsafe=True), lint)
    assert done.troubles == ()
    assert done.data.decode() == CASES[source]
    again = fix(done.data, Consent(unsafe=True), lint)
    assert (again.data, again.made) == (done.data, 0)


LEFT = [
    "from keras.utils import np_utils\nx = np_utils\n",
    "from keras.utils import np_utils\nx = eval('np_utils')\n",
    "from keras.layers import core\ncore = core.Dense\n",
    "from keras.layers.core import MaxoutDense\n",
    "import keras.legacy.interfaces\n",
]


@pytest.mark.parametrize("source", LEFT)
def test_what_is_left_for_a_person(source: str) -> None:
    report = engine.lint("x.py", source.encode(), "python", {"LK601", "LK602"})
    assert all(finding.fixes == () for finding in report.findings)
