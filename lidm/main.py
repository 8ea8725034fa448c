"""The `lidm` command: one file per command group under `lidm/commands`, loaded only when called."""

import sys
from importlib import import_module

import click

from lidm.logs import configure_command_logs
from schemas.errors import CallError, LidmError

GROUPS = {
    "alerts": "看预警",
    "backtest": "参数草案放到归档的历史上重算一遍",
    "bench": "性能测量（相对值）",
    "case": "办理案件",
    "demo": "整套服务加一座虚构的城市",
    "detectors": "规则目录、自测、试运行、启用、停用",
    "explain": "一条预警的来龙去脉，可打印、可重放",
    "feed": "部门数据：查看、模板、检查、试发、发布、报告单",
    "gateway": "民政区网关：运行、密钥、受理记录、打开记录",
    "household": "一户的多维困难画像、几户的走访先后",
    "incident": "区域灾害：登记、撤销、清单",
    "kpi": "官方指标",
    "person": "更正号码、换发证件、更换联结密钥",
    "policy": "参数：检查、查看、比较、启用",
    "rebuild": "从日志或归档重建台账",
    "rejected": "未受理的消息：清单、查看、修补重发",
    "report": "公平与覆盖报告",
    "roster": "官方名册：入库、与本库逐人比对、各地签字",
    "run": "一个进程里运行全部环节",
    "store": "归档库：迁移、状态、预检、存出台账日志",
    "topics": "主题目录与集群对照",
    "worker": "运行一个环节",
}


class Front(click.Group):
    """Loads `lidm.commands.<name>` on demand, so that publishers need only the base install."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted(GROUPS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in GROUPS:
            return None
        try:
            command: click.Command = import_module(f"lidm.commands.{cmd_name}").command
        except ModuleNotFoundError as missing:
            if missing.name and missing.name.split(".")[0] in {"lidm", "schemas", "streams"}:
                raise
            extras = "gateway、office、service 或 embedded"
            raise CallError(f"缺少组件 {missing.name}：请安装 lidm 的 {extras} 扩展") from missing
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("命令"):
            formatter.write_dl(sorted(GROUPS.items()))


@click.group(cls=Front, context_settings={"help_option_names": ["-h", "--help"]})
def front() -> None:
    """低收入人口动态监测。"""


def main() -> None:
    """Runs the command. Exit: 0 done, 1 data wrong, 2 call wrong, 3 unreachable, 4 stopped to keep a guarantee."""
    configure_command_logs()
    try:
        result = front(standalone_mode=False)
    except click.ClickException as error:
        error.show()
        sys.exit(2)
    except click.Abort:
        sys.exit(2)
    except LidmError as error:
        click.echo(str(error), err=True)
        sys.exit(error.exit_code)
    sys.exit(result if isinstance(result, int) else 0)


if __name__ == "__main__":
    main()
