"""`python -m deploy.local up|down|status|env|install`. Exit: 0 done, 2 wrong call, 3 missing or not answering."""

import argparse
import json
import os
import sys
from pathlib import Path

from deploy.local.asyncapi import parser_folder
from deploy.local.errors import Missing, NotReady
from deploy.local.install import FOREIGN_CLIENTS, SERVERS, install
from deploy.local.jars import kafka_libs
from deploy.local.stack import Stack


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m deploy.local", description="本机的 Kafka 与 ClickHouse")
    commands = parser.add_subparsers(dest="command", required=True)
    for name, text in {
        "up": "启动（已启动则不变），打印地址", "down": "停止，数据保留", "status": "是否在运行",
    }.items():  # fmt: skip
        command = commands.add_parser(name, help=text)
        command.add_argument("--data-dir", type=Path, default=Path(os.environ.get("LIDM_DATA_DIR", ".lidm")))
        command.add_argument("--json", action="store_true")
        if name == "up":
            clocks, sizes = ("wall", "driven"), ("trial", "county", "city", "province")
            command.add_argument("--clock", choices=clocks, default=os.environ.get("LIDM_CLOCK"))
            command.add_argument("--size", choices=sizes, default=os.environ.get("LIDM_SIZE"))
    command = commands.add_parser("env", help="地址与客户端路径，供 shell 使用：eval \"$(python -m deploy.local env)\"")
    command.add_argument("--data-dir", type=Path, default=Path(os.environ.get("LIDM_DATA_DIR", ".lidm")))
    command = commands.add_parser("install", help="安装缺少的软件包")
    command.add_argument("--tests", action="store_true", help="包括测试用的外部客户端 kcat、Node 和 AsyncAPI 解析器")
    return parser.parse_args()


def _up(stack: Stack, arguments: argparse.Namespace) -> None:
    for package in install():
        print(f"已安装 {package}", file=sys.stderr)
    said = stack.up(clock=arguments.clock, size=arguments.size)
    if arguments.json:
        print(said.as_json())
        return
    print(f"Kafka       {said.broker}")
    print(f"ClickHouse  {said.clickhouse_host}:{said.clickhouse_port}（HTTP {stack.clickhouse.http_port}）")
    print(f"数据目录    {stack.local}\n服务说明    {stack.service_file}")


def _status(stack: Stack, arguments: argparse.Namespace) -> int:
    found = stack.status()
    if arguments.json:
        print(json.dumps(found))
    else:
        for name, facts in found.items():
            print(f"{name:12}{facts.get('address', '未运行')}")
    return 0 if all(found.values()) else 3


def _env(stack: Stack) -> int:
    if not (stack.kafka.pid and stack.clickhouse.pid):
        print("本机服务没有运行：请先 make up", file=sys.stderr)
        return 3
    print(f"KAFKA={stack.kafka.bootstrap}")
    print(f"KAFKA_JARS={kafka_libs()}")
    print(f"CLICKHOUSE_HOST={stack.clickhouse.host}\nCLICKHOUSE_PORT={stack.clickhouse.port}")
    return 0


def main() -> int:
    """Runs one command."""
    arguments = _arguments()
    try:
        if arguments.command == "install":
            print(" ".join(install({**SERVERS, **(FOREIGN_CLIENTS if arguments.tests else {})})) or "无需安装")
            if arguments.tests:
                print(f"AsyncAPI 解析器在 {parser_folder()}")
            return 0
        stack = Stack(arguments.data_dir)
        if arguments.command == "up":
            _up(stack, arguments)
        elif arguments.command == "down":
            print("已停止：" + ("、".join(stack.down()) or "没有在运行的服务"))
        elif arguments.command == "env":
            return _env(stack)
        else:
            return _status(stack, arguments)
    except (Missing, NotReady) as error:
        print(error, file=sys.stderr)
        return 3
    return 0


if __name__ == "__main__":
    sys.exit(main())
