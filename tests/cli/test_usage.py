"""Help, options, exit statuses, quiet and colour."""
import os
import pty
import re
import subprocess
import textwrap
import unittest

import numpy as np

import cli
from cli import ENVIRONMENT, INPUT, OK, SOURCE, USAGE

COMMANDS = ["run", "profile", "compile", "opt", "show", "check", "diff", "devices", "kernels"]


class Usage(cli.Case):
    def test_version_and_help(self):
        self.assertRegex(self.expect(OK, "--version"), r"^reprise \d+\.\d+\.\d+\n$")
        for words in (["--help"], ["-h"], ["help"]):
            out = self.expect(OK, *words)
            for command in COMMANDS:
                self.assertIn(command, out)

    def test_help_of_commands(self):
        for command in COMMANDS:
            out = self.expect(OK, command, "--help")
            self.assertTrue(out.startswith(f"usage: reprise {command}"))
            self.assertEqual(out, self.expect(OK, "help", command))
            self.assertEqual(self.err, "")

    def test_wrong_usage(self):
        self.expect(USAGE, error="no command")
        self.expect(USAGE, "complie", error="did you mean 'compile'?")
        self.expect(USAGE, "help", "shwo", error="did you mean 'show'?")
        self.expect(USAGE, "--verbose", error="the command comes first")
        for command in COMMANDS:
            self.expect(USAGE, command, "--no-such-thing", error="unknown option")
            self.expect(USAGE, command, "-Z", error="unknown option")
        for command in COMMANDS[:-2]:
            self.expect(USAGE, command, error=f"reprise {command} --help")
        self.expect(USAGE, "devices", "extra", error="takes no argument")

    def test_did_you_mean(self):
        self.expect(USAGE, "compile", "graph.rpir", "--dumpafter", "all",
                    error="did you mean '--dump-after'?")
        self.expect(USAGE, "show", "--fromat=json", "graph.rpir", error="did you mean '--format'?")
        self.expect(USAGE, "show", "--format", "jsn", "graph.rpir", error="did you mean 'json'?")
        self.expect(USAGE, "opt", "graph.rpir", "--passes", "dce,shedule",
                    error="did you mean 'schedule'?")

    def test_values_of_options(self):
        self.expect(USAGE, "compile", "graph.rpir", "-o", error="needs a value")
        self.expect(USAGE, "show", "--stats=yes", "graph.rpir", error="takes no value")
        self.expect(USAGE, "show", "--format", "svg", "graph.rpir", error="text, json, dot")
        self.expect(USAGE, "compile", "graph.rpir", "--dump-after", "all", "--dump-format", "svg",
                    error="text, json, dot")
        self.expect(USAGE, "compile", "graph.rpir", "--dump-after", "nothing", error="no pass")
        self.expect(USAGE, "compile", "graph.rpir", "-o", "p", "--dump-dir", "d", error="--dump-after")
        for level in ("-O3", "-Ofast", "-O-1"):
            self.expect(USAGE, "opt", "graph.rpir", level, error="no level")
        for limit in ("0", "-5", "many", "64Q", "64MB", "99999999999999999999", "17179869184G"):
            self.expect(USAGE, "opt", "graph.rpir", f"--arena-limit={limit}", error="--arena-limit")
        for passes in ("", ",dce", "dce,", "dce,,sync"):
            self.expect(OK if passes == "" else USAGE, "opt", "graph.rpir", f"--passes={passes}")
        self.expect(USAGE, "opt", "graph.rpir", "--passes", "place=nowhere", error="share|separate")
        for count in ("0", "-1", "x", "1e3", "10000001"):
            self.expect(USAGE, "run", "pipeline.yaml", "-n", count, error="-n needs")
        self.expect(USAGE, "run", "pipeline.yaml", "--check-against", "-O9", error="-O0, -O1 or -O2")
        for option in ("-i", "-o", "--set", "-D"):
            for value in ("x", "=x", "$=x"):
                self.expect(USAGE, "run", "pipeline.yaml", option, value, error=option)
        self.expect(USAGE, "run", "pipeline.yaml", "-D", "n=many", error="PARAM=NUMBER")
        self.expect(USAGE, "show", "-D", "n=5", "graph.rpir", error="YAML pipeline")

    def test_nothing_for_a_value(self):
        """What is empty names nothing: neither the default nor any device."""
        for command in COMMANDS:
            self.expect(USAGE, command, "", error=f"reprise {command}: error: an argument is empty")
            for letter, option in re.findall(r"(?m)^  (-\w), (--[a-z-]+) [^ ]", self.expect(OK, command, "--help")):
                for words in ((letter, ""), (option, ""), (option + "=",)):
                    self.expect(USAGE, command, *words, error="needs a value: ")
            for option in re.findall(r"(?m)^      (--[a-z-]+) [^ ]", self.expect(OK, command, "--help")):
                if option != "--passes":
                    self.expect(USAGE, command, option, "", error=f"'{option}' needs a value: ")
        for option in ("-i", "-o", "--set", "-D"):
            self.expect(USAGE, "run", "pipeline.yaml", option, "x=", error=f"{option} needs")

    def test_where_stdin_and_stdout_do_not_go(self):
        before = self.files()
        for words in (("run", "pipeline.yaml", "-i", "x=-"), ("run", "pipeline.yaml", "-o", "y=-"),
                      ("run", "pipeline.yaml", "--weights", "-"), ("compile", "graph.rpir", "-o", "p", "--target", "-"),
                      ("opt", "graph.rpir", "--target", "-")):
            self.expect(USAGE, *words, error=f"{words[-2]} needs a file, '-' is none")
        for words in (("diff", "-", "-"), ("check", "-", "--against", "-")):
            self.expect(USAGE, *words, error="not both", input=self.read("graph.rpir"))
        self.expect(OK, "diff", "-", "graph.rpir", input=self.read("graph.rpir"))
        self.assertEqual(self.files(), before)

    def test_usage_lines(self):
        for command in COMMANDS:
            self.expect(USAGE, command, "--no-such-thing")
            self.assertRegex(self.err, rf"usage: reprise {command} \S[^;]*\S; see 'reprise {command} --help'")

    def test_too_many_arguments(self):
        for command in ("run", "compile", "opt", "show", "check"):
            self.expect(USAGE, command, "graph.rpir", "graph.rpir", "-q")
        self.expect(USAGE, "diff", "graph.rpir", error="two files")
        self.expect(USAGE, "diff", "graph.rpir", "graph.rpir", "graph.rpir", error="too many")
        self.expect(USAGE, "compile", "graph.rpir", error="needs -o")

    def test_options_and_arguments_mix(self):
        self.expect(OK, "opt", "-O0", "graph.rpir", "-q")
        first = self.out
        self.expect(OK, "opt", "--quiet", "graph.rpir", "-O", "0")
        self.assertEqual(first, self.out)
        self.write("-odd.rpir", self.read("graph.rpir"))
        self.expect(OK, "show", "--", "-odd.rpir")
        self.expect(USAGE, "show", "-odd.rpir")

    def test_quiet(self):
        self.expect(OK, "compile", "graph.rpir", "-o", "p.rplan", "-q")
        self.assertEqual((self.out, self.err), ("", ""))
        self.expect(INPUT, "show", "absent.rpir", "--quiet", error="absent.rpir: error:")
        self.assertEqual(self.err.count("\n"), 1)

    def test_stdout_holds_results_alone(self):
        self.expect(OK, "compile", "graph.rpir", "-o", "p.rplan")
        self.assertEqual(self.out, "")
        self.assertIn("barriers", self.err)
        self.expect(OK, "show", "p.rplan")
        self.assertEqual(self.err, "")

    def test_colour_on_a_terminal_only(self):
        def errors(env):
            try:
                master, slave = pty.openpty()
            except OSError as reason:
                self.skipTest(f"no terminal to be had: {reason}")
            subprocess.run([cli.REPRISE, "show", "absent"], cwd=self.folder, stderr=slave, env=env)
            os.close(slave)
            text = os.read(master, 4096).decode()
            os.close(master)
            return text
        env = {k: v for k, v in os.environ.items() if k not in ("NO_COLOR", "TERM")}
        self.assertIn("\x1b[", errors(dict(env, TERM="xterm")))
        self.assertNotIn("\x1b[", errors(dict(env, TERM="xterm", NO_COLOR="1")))
        self.assertNotIn("\x1b[", errors(dict(env, TERM="dumb")))
        self.expect(INPUT, "show", "absent")
        self.assertNotIn("\x1b", self.err)

    def test_write_errors(self):
        for arguments in (["show", "graph.rpir"], ["--help"], ["opt", "graph.rpir", "-q"],
                          ["devices", "--help"]):
            with open("/dev/full", "wb") as full:
                result = subprocess.run([cli.REPRISE, *arguments], cwd=self.folder, stdout=full,
                                        stderr=subprocess.PIPE)
            self.assertEqual(result.returncode, ENVIRONMENT, arguments)
            self.assertIn(b"No space left", result.stderr)
        self.expect(ENVIRONMENT, "show", "graph.rpir", "-o", "/dev/full", error="No space left")
        self.expect(ENVIRONMENT, "compile", "graph.rpir", "-o", "/dev/full", error="No space left")
        self.expect(ENVIRONMENT, "compile", "graph.rpir", "-o", "no/such/p.rplan", error="no/such")
        self.expect(ENVIRONMENT, "compile", "graph.rpir", "-o", ".", error="is a folder")

    def test_reader_that_goes_away(self):
        for name in ("graph.rpir", "pipeline.yaml"):
            reader, writer = os.pipe()
            os.close(reader)  # before anything is written: no race with a fast program
            result = subprocess.run([cli.REPRISE, "show", name], cwd=self.folder, stdout=writer,
                                    stderr=subprocess.PIPE)
            os.close(writer)
            self.assertEqual(result.stderr, b"")
            self.assertEqual(result.returncode, ENVIRONMENT)

    def test_manual_and_help_agree(self):
        manual = (SOURCE / "tools/reprise/reprise.1").read_text().replace("\\", "")
        page = (SOURCE / "docs/command-line.md").read_text()
        for command in COMMANDS:
            for option in re.findall(r"(?:^|\s)--([a-z-]+)", self.expect(OK, command, "--help")):
                if option.startswith(("reprise", "source-")):
                    continue
                self.assertTrue(re.search(rf"-{option}\b", manual), f"man page lacks --{option}")
                self.assertIn(f"--{option}", page)

    def test_links_in_the_documentation(self):
        pages = [SOURCE / "README.md", SOURCE / "CONTRIBUTING.md", *(SOURCE / "docs").rglob("*.md")]
        for page in pages:
            for link in re.findall(r"\]\(([^)#]+)\)", page.read_text()):
                if "://" not in link:
                    self.assertTrue((page.parent / link).exists(), f"{page}: {link}")

    def test_recipes_are_code_that_runs(self):
        # A comment in front of a block of C names the file that it is taken from, indented less.
        page = (SOURCE / "docs/embedding.md").read_text()
        blocks = re.findall(r"(?:<!-- (\S+) -->\n)?```c\n(.*?)```", page, re.S)
        self.assertGreater(len(blocks), 10)
        for file, block in blocks:
            self.assertTrue(file, f"docs/embedding.md does not say where this is from:\n{block}")
            code = (SOURCE / file).read_text()
            self.assertTrue(any(textwrap.indent(block, " " * n) in code for n in (0, 4, 8)),
                            f"docs/embedding.md has what {file} has not:\n{block}")

    def test_anchors_of_recipes(self):
        page = (SOURCE / "docs/embedding.md").read_text()
        titles = {t.lower().replace(" ", "-") for t in re.findall(r"^## (.*)$", page, re.M)}
        anchors = re.findall(r"\]\(#([^)]+)\)", page)
        self.assertEqual(sorted(anchors), sorted(titles), "the table and the sections")

    def test_every_page_is_in_the_index(self):
        index = (SOURCE / "docs/index.md").read_text()
        for page in (SOURCE / "docs").glob("*.md"):
            self.assertTrue(page.name == "index.md" or f"({page.name})" in index, page.name)

    def test_readme_pipeline_runs(self):
        readme = (SOURCE / "README.md").read_text()
        readme = readme[readme.index("## A pipeline in YAML"):]  # what is before, python/tests/test_docs.py runs
        for language, name in (("yaml", "twice.yaml"), ("glsl", "scale.comp")):
            self.write(name, re.search(rf"```{language}\n(.*?)```", readme, re.S)[1])
        x = np.linspace(-1, 1, 1000, dtype="f4")
        np.save(self.folder / "x.npy", x)
        for line in re.findall(r"^    reprise ([^|>\n]*?)(?:  +#.*)?$", readme, re.M):
            words = line.split()
            self.run_program(*words)  # diff reports differences by its status
            if words[0] != "diff":
                self.expect(OK, *words)
        np.testing.assert_array_equal(np.load(self.folder / "y.npy"), x * 4)

    def test_completion_knows_the_options(self):
        script = (f"source {SOURCE}/tools/completion/reprise.bash; COMP_WORDS=('{cli.REPRISE}' compile --);"
                  "COMP_CWORD=2; _reprise; echo \"${COMPREPLY[@]}\"")
        out = subprocess.run(["bash", "-c", script], capture_output=True, text=True).stdout.split()
        expected = re.findall(r"^  (?:-\w, |    )(--[a-z-]+)", self.expect(OK, "compile", "--help"), re.M)
        self.assertEqual(sorted(out), sorted(expected))
        self.assertIn("--dump-after", out)


if __name__ == "__main__":
    cli.main()
