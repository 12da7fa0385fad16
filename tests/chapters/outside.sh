#!/usr/bin/env bash
# outside.sh NOTEBOOK…: run committed chapters as Colab would, each alone, in an empty folder and a fresh environment.
#
# Colab brings PyTorch, NumPy, matplotlib and transformers along, and a chapter's set-up cell installs the package from
# the public address. So the fresh environment borrows those four (and what they need) from .venv, installs the kernel,
# and the rest comes from the set-up cell itself, unchanged: git reads the public address from the last commit here.
# Between two chapters the package is taken out again, so that each finds an environment without it.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
python=${PYTHON:-$root/.venv/bin/python}
[ $# -gt 0 ] || { echo "which chapter? outside.sh chapters/NN-topic.ipynb"; exit 2; }
[ -x "$python" ] || { echo "no environment in .venv yet: make install makes it"; exit 2; }
for notebook in "$@"; do
  git -C "$root" cat-file -e "HEAD:$notebook" 2>/dev/null || {
    echo "$notebook is not in the last commit; Colab would not find it either"
    exit 2
  }
done

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
git clone -q --bare "$root" "$work/repository.git"
cd "$work"

"$python" -m venv env
"$python" "$root/tests/chapters/borrow.py" "$work/borrowed" torch numpy matplotlib transformers
echo "$work/borrowed" >"$(echo env/lib/python*/site-packages)/borrowed.pth"
cp "$root/constraints.txt" .
export PIP_CONSTRAINT=$work/constraints.txt PIP_DISABLE_PIP_VERSION_CHECK=1
env/bin/python -m pip install -q ipykernel nbclient

url=$("$python" -c "import sys, yaml; print(yaml.safe_load(open(sys.argv[1]))['repository']['url'])" "$root/_config.yml")
export GIT_CONFIG_COUNT=1 GIT_CONFIG_KEY_0="url.file://$work/repository.git.insteadOf" GIT_CONFIG_VALUE_0="$url"
for notebook in "$@"; do
  folder=$work/$(basename "$notebook" .ipynb)
  mkdir "$folder"
  git -C "$root" show "HEAD:$notebook" >"$folder/chapter.ipynb"
  env/bin/python -m pip uninstall -q -y bertlib 2>/dev/null || true
  if (cd "$folder" && "$work/env/bin/python" -c "import bertlib" 2>/dev/null); then
    echo "bertlib is there before the set-up cell has run"
    exit 1
  fi
  began=$SECONDS
  (
    cd "$folder"
    env -u PYTHONPATH PATH="$work/env/bin:$PATH" VIRTUAL_ENV="$work/env" CUDA_VISIBLE_DEVICES= \
      "$work/env/bin/jupyter" execute --kernel_name=python3 --timeout=300 chapter.ipynb
    "$work/env/bin/python" -c "import bertlib, sys; assert bertlib.__file__.startswith(sys.prefix), bertlib.__file__"
  )
  echo "$notebook ran outside the repository, its package installed by its own set-up cell, in $((SECONDS - began)) s"
done
