"""The commands."""

from __future__ import annotations

import os
import shlex
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
from click.shell_completion import get_completion_class

from exporter import __version__
from exporter.config_file import ConfigError
from exporter.explain.command import explain
from exporter.forecast_api.command import forecast
from exporter.verdicts.command import verdict

_FILE_HELP = "Samples as OpenMetrics text, CSV (timestamp, value, labels) or Parquet, in place of a server."
_FROM_CONFIG_HELP = "Take source and settings of a query from a configuration."
_CONFIG_HELP = "Configuration file in YAML; docs/configuration.md names every key."


class BadInput(click.ClickException):
    """A mistake of the user's: said in one line each, exit status 2."""

    exit_code = 2

    def show(self, file: Any = None) -> None:
        """Print the message as it is: it names its place itself."""
        click.echo(self.format_message(), file=file, err=True)


def _config_option(command: Callable[..., Any]) -> Callable[..., Any]:
    return click.option(
        "--config.file",
        "config_file",
        type=click.Path(path_type=Path, dir_okay=False),
        default=Path("forethought.yml"),
        show_default=True,
        help=_CONFIG_HELP,
    )(command)


class _Commands(click.Group):
    """A group that turns what nobody expected into one line; the traceback is for whoever asks for it."""

    def invoke(self, context: click.Context) -> Any:
        """Run the chosen command."""
        try:
            return super().invoke(context)
        except (click.ClickException, click.exceptions.Exit, click.Abort, KeyboardInterrupt):
            raise
        except Exception as error:
            if os.environ.get("FORETHOUGHT_TRACEBACK"):
                raise
            raise click.ClickException(
                f"this is a bug in forethought: {type(error).__name__}: {error}. "
                "FORETHOUGHT_TRACEBACK=1 shows where; please report it."
            ) from error


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(__version__, "--version", prog_name="forethought")
def main() -> None:
    """Learned baselines, anomaly scores and forecasts for a Prometheus.

    forethought asks a Prometheus for metrics on a schedule, learns what is normal, and publishes on /metrics what
    it expects, how strange reality is, and what comes next.

    \b
    First steps:
      forethought backtest --source.url http://127.0.0.1:9090 --query 'sum by (job) (rate(http_requests_total[5m]))'
      forethought check-config --config.file forethought.yml
      forethought run --config.file forethought.yml
    """


@main.command()
@_config_option
@click.option(
    "--web.listen-address",
    "listen_address",
    default=":9815",
    show_default=True,
    metavar="HOST:PORT",
    help="Where /metrics and the pages are served. No host means every interface.",
)
@click.option(
    "--storage.path",
    "storage_path",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("forethought-data"),
    show_default=True,
    help="Folder that keeps samples and models over a restart, so only the gap is pulled; written every 10 minutes "
    "and at the end. '' keeps nothing.",
)
@click.option(
    "--config.poll",
    "poll",
    default="10s",
    show_default=True,
    metavar="DURATION",
    help="How often the file is looked at; new content is loaded. 0s: only SIGHUP and /-/reload load it.",
)
@click.option(
    "--log.level", "log_level", type=click.Choice(["debug", "info", "warn", "error"]), default="info", show_default=True
)
@click.option("--log.format", "log_format", type=click.Choice(["logfmt", "json"]), default="logfmt", show_default=True)
def run(config_file: Path, listen_address: str, storage_path: Path, poll: str, log_level: Any, log_format: Any) -> None:
    """Run the service.

    A changed configuration file, SIGHUP or POST /-/reload loads it anew; SIGTERM or Ctrl-C stops. An unreachable
    Prometheus does not stop the start: it is tried again every interval, and metrics say so meanwhile.
    """
    from exporter.logs import set_up_logs
    from exporter.run import run_service
    from exporter.server import AddressError
    from exporter.state.errors import StateError

    set_up_logs(log_level, log_format)
    storage = storage_path if str(storage_path) not in ("", ".") else None
    try:
        run_service(config_file, _address(listen_address), storage, poll=_seconds("--config.poll", poll))
    except (ConfigError, AddressError, StateError) as error:
        raise BadInput(str(error)) from error


@main.command("check-config")
@_config_option
@click.option("--ask", is_flag=True, help="Also ask the source each query for its newest step, and each limit's.")
def check_config(config_file: Path, ask: bool) -> None:
    """Check a configuration file, and with --ask its queries.

    Each mistake is one line: file, line, path of the key, what must be there and what was found. Exit status 2
    then; 1 when --ask gets no answer to a query or a limit, or a query has no series; 0 when all is well.
    """
    from exporter.check import ask_queries, describe
    from exporter.config_load import load_config

    try:
        config = load_config(config_file)
    except ConfigError as error:
        raise BadInput(str(error)) from error
    click.echo(describe(config_file, config))
    if ask and not ask_queries(config, click.echo):
        sys.exit(1)


@main.command()
@click.option("--query", default="", help='PromQL expression; with --file, a selector such as name{label="value"}.')
@click.option("--source.url", "url", metavar="URL", help="A server with Prometheus' API.")
@click.option("--file", "file", type=click.Path(path_type=Path, dir_okay=False), help=_FILE_HELP)
@click.option("--config.file", "config_file", type=click.Path(path_type=Path, dir_okay=False), help=_FROM_CONFIG_HELP)
@click.option("--name", help="With --config.file: the query to test. Default: its only one.")
@click.option(
    "--end", metavar="TIME", help="Last instant, ISO 8601, UTC if it names no zone. Default: now, or the file's end."
)
@click.option("--range", "span", metavar="DURATION", help="How far back from there. Default: the history, or the file.")
@click.option("--step", metavar="DURATION", help="Default: 5m, or the file's own.")
@click.option("--horizon", "horizons", metavar="DURATION", multiple=True, help="How far to forecast; may be repeated.")
@click.option("--coverage", type=float, help="Share of values the forecast's interval shall hold, such as 0.95.")
@click.option("--direction", type=click.Choice(["above", "below", "both"]), help="Side of the band that is an anomaly.")
@click.option("--minimum-deviation.absolute", "absolute", type=float, help="Smallest anomaly, in the query's unit.")
@click.option("--minimum-deviation.relative", "relative", type=float, help="The same as a ratio of the expected value.")
@click.option("--timezone", help="IANA name of the zone whose days the workload follows.")
@click.option("--series-limit", type=int, help="Most series the query may return. Default: 1000.")
@click.option(
    "--out", type=click.Path(path_type=Path, dir_okay=False), default=Path("backtest.html"), show_default=True
)
def backtest(out: Path, **options: Any) -> None:
    """Show what would have been said of a past.

    Walks through a range of a query, or a file, as the service would have: each step is judged by what was known
    before it. The page it writes needs no network: samples, expected band, anomalies, past forecasts, what comes next.

    \b
    Examples:
      forethought backtest --source.url http://127.0.0.1:9090 --query 'sum(rate(http_requests_total[5m]))' --range 4w
      forethought backtest --config.file forethought.yml --name request_rate
      forethought backtest --file load.csv --horizon 1d --out load.html
    """
    from exporter.backtests.command import BacktestOptions, run_backtest
    from exporter.logs import set_up_logs
    from sources.errors import SourceError

    set_up_logs("warn", "logfmt")
    try:
        run_backtest(
            BacktestOptions(**options), out, command=" ".join(map(shlex.quote, ["forethought", *sys.argv[1:]]))
        )
    except (ConfigError, SourceError, ValueError, OSError) as error:
        raise BadInput(f"backtest: {error}") from error


@main.command()
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def completion(shell: str) -> None:
    """Print the completion script of a shell.

    \b
    bash:  eval "$(forethought completion bash)"                  in ~/.bashrc
    zsh:   eval "$(forethought completion zsh)"                   in ~/.zshrc
    fish:  forethought completion fish > ~/.config/fish/completions/forethought.fish
    """
    found = get_completion_class(shell)
    if found is None:
        raise BadInput(f"completion: no script for {shell}.")
    click.echo(found(main, {}, "forethought", "_FORETHOUGHT_COMPLETE").source())


main.add_command(verdict)
main.add_command(explain)
main.add_command(forecast)


def _seconds(flag: str, text: str) -> float:
    from exporter.duration import Duration

    try:
        return float(Duration.parse(text))
    except ValueError as error:
        raise BadInput(f"{flag}: {error}") from error


def _address(text: str) -> Any:
    from exporter.server import ListenAddress

    try:
        return ListenAddress.parse(text)
    except ValueError as error:
        raise BadInput(f"--web.listen-address: {error}") from error
