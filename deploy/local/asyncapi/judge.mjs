// Prints, as one JSON array, what AsyncAPI's parser says about a document: severity (0 error), code, message, path.
import { readFile } from "node:fs/promises";
import { Parser } from "@asyncapi/parser";

const [, , path] = process.argv;
const { document, diagnostics } = await new Parser().parse(await readFile(path, "utf8"), { source: path });
const said = diagnostics.map(({ severity, code, message, path: at }) => ({ severity, code, message, path: at.join("/") }));
const counts = document && { channels: document.channels().length, operations: document.operations().length };
console.log(JSON.stringify({ said, counts: counts ?? null }));
