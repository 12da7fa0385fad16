import subprocess
import sys


def test_the_command_that_installs_it_is_named():
    program = "import sys; sys.modules['matplotlib'] = None; import bertlib.viz"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert 'pip install "bertlib[viz]"' in done.stderr.splitlines()[-1]
