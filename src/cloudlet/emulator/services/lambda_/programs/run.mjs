// Runs a Node.js function, one invocation after the other: async, callback and plain handlers, and streaming ones.
// Error payloads and log lines are those of AWS's Node.js runtime ("AWS Lambda function errors in Node.js").
import fs from "node:fs";
import path from "node:path";
import { createInterface } from "node:readline";
import { Writable } from "node:stream";
import { pathToFileURL } from "node:url";
import { format } from "node:util";

const answers = Number(process.argv[2]);
const LINE_BREAK = "\x1e"; // inside of one log event
const LEVELS = ["TRACE", "DEBUG", "INFO", "WARN", "ERROR", "FATAL"];
let requestId = "";
let folder = "/var/task";
let jsonLogs = false;
let least = 0;

function write(descriptor, text) {
  let data = Buffer.from(text);
  while (data.length > 0) {
    try {
      data = data.subarray(fs.writeSync(descriptor, data));
    } catch (error) {
      if (error.code !== "EAGAIN") throw error;
    }
  }
}

function print(level, parts) {
  if (LEVELS.indexOf(level) < least) return;
  if (jsonLogs) {
    const message = parts.length === 1 && typeof parts[0] === "object" ? parts[0] : format(...parts);
    write(1, JSON.stringify({ timestamp: new Date().toISOString(), level, requestId, message }) + "\n");
    return;
  }
  const text = `${new Date().toISOString()}\t${requestId}\t${level}\t${format(...parts)}`;
  write(1, text.replaceAll("\n", LINE_BREAK) + "\n");
}

for (const [method, level] of [
  ["log", "INFO"],
  ["info", "INFO"],
  ["debug", "DEBUG"],
  ["warn", "WARN"],
  ["error", "ERROR"],
  ["trace", "TRACE"],
]) {
  console[method] = (...parts) => print(level, parts);
}

// As on AWS: the function lies in /var/task, the runtime in /var/runtime.
function shown(stack) {
  return String(stack)
    .replaceAll(folder, "/var/task")
    .replaceAll(import.meta.url, "file:///var/runtime/index.mjs")
    .split("\n");
}

function describe(error) {
  if (error instanceof Error || (error && typeof error === "object" && "message" in error && "name" in error)) {
    const stack = error.stack ? shown(error.stack) : [];
    return { errorType: error.name, errorMessage: error.message, trace: stack };
  }
  return { errorType: typeof error, errorMessage: String(error), trace: [] };
}

function fault(errorType, errorMessage, stack) {
  return { fault: { errorType, errorMessage, trace: stack ?? [`${errorType}: ${errorMessage}`] } };
}

async function load(setup) {
  const dot = setup.handler.lastIndexOf(".");
  const [moduleName, name] = [setup.handler.slice(0, dot), setup.handler.slice(dot + 1)];
  const file = ["", ".js", ".mjs", ".cjs"]
    .map((ending) => path.join(setup.folder, moduleName + ending))
    .find((candidate) => fs.existsSync(candidate) && fs.statSync(candidate).isFile());
  if (file === undefined) {
    return fault("Runtime.ImportModuleError", `Error: Cannot find module '${moduleName}'\nRequire stack:\n- /var/runtime/index.mjs`);
  }
  let loaded;
  try {
    loaded = await import(pathToFileURL(file).href);
  } catch (error) {
    const trace = error?.stack ? shown(error.stack) : [];
    if (error instanceof SyntaxError) return fault("Runtime.UserCodeSyntaxError", String(error), trace);
    if (error?.code === "MODULE_NOT_FOUND" || error?.code === "ERR_MODULE_NOT_FOUND") {
      return fault("Runtime.ImportModuleError", String(error), trace);
    }
    return { fault: describe(error) };
  }
  const handler = loaded.default?.[name] ?? loaded[name];
  if (typeof handler !== "function") {
    return fault("Runtime.HandlerNotFound", `${setup.handler} is undefined or not exported`);
  }
  return { handler };
}

function contextOf(setup, invocation, settle) {
  const end = performance.now() + invocation.limit_seconds * 1000;
  return {
    awsRequestId: invocation.request_id,
    callbackWaitsForEmptyEventLoop: true,
    functionName: setup.context.function_name,
    functionVersion: setup.context.function_version,
    invokedFunctionArn: invocation.arn,
    logGroupName: setup.context.log_group_name,
    logStreamName: setup.context.log_stream_name,
    memoryLimitInMB: setup.context.memory_limit_in_mb,
    clientContext: invocation.client_context ?? undefined,
    identity: undefined,
    getRemainingTimeInMillis: () => Math.max(0, Math.floor(end - performance.now())),
    succeed: (value) => settle(null, value),
    fail: (error) => settle(error ?? new Error("handled")),
    done: (error, value) => settle(error, value),
  };
}

class Collected extends Writable {
  constructor() {
    super();
    this.pieces = [];
    this.type = undefined;
  }
  _write(piece, encoding, done) {
    this.pieces.push(Buffer.from(piece, encoding === "buffer" ? undefined : encoding));
    done();
  }
  setContentType(type) {
    this.type = type;
  }
}

const STREAMING = Symbol.for("aws.lambda.runtime.handler.streaming");
globalThis.awslambda = {
  streamifyResponse: (handler) => {
    handler[STREAMING] = "response";
    return handler;
  },
  HttpResponseStream: {
    from: (stream, prelude) => {
      stream.setContentType("application/vnd.awslambda.http-integration-response");
      stream.write(JSON.stringify(prelude));
      stream.write(Buffer.alloc(8));
      return stream;
    },
  },
};

async function stream(handler, event, context) {
  const collected = new Collected();
  const finished = new Promise((resolve) => collected.on("finish", resolve));
  await handler(event, collected, context);
  await finished;
  return { streamed: Buffer.concat(collected.pieces).toString("base64") };
}

function invoke(handler, setup, invocation) {
  return new Promise((resolve, reject) => {
    const settle = (error, value) => (error ? reject(error) : resolve(value));
    const context = contextOf(setup, invocation, settle);
    const event = JSON.parse(invocation.event);
    if (handler[STREAMING]) {
      stream(handler, event, context).then(resolve, reject);
      return;
    }
    const returned = handler(event, context, settle);
    if (returned && typeof returned.then === "function") returned.then(resolve, reject);
    else if (handler.length < 3 && returned !== undefined) resolve(returned);
    else if (handler.length < 2) resolve(null);
  });
}

async function carryOut(loaded, setup, invocation) {
  try {
    if (loaded.fault) {
      print("ERROR", ["Uncaught Exception \t" + JSON.stringify(loaded.fault)]);
      return ["E", JSON.stringify(loaded.fault)];
    }
    const value = await invoke(loaded.handler, setup, invocation);
    if (value && typeof value === "object" && typeof value.streamed === "string" && loaded.handler[STREAMING]) {
      return ["S", value.streamed];
    }
    return ["P", JSON.stringify(value === undefined ? null : value) ?? "null"];
  } catch (error) {
    const described = describe(error);
    print("ERROR", ["Invoke Error \t" + JSON.stringify({ ...described, stack: described.trace, trace: undefined })]);
    return ["E", JSON.stringify(described)];
  }
}

function uncaught(error) {
  const described = describe(error);
  print("ERROR", ["Uncaught Exception \t" + JSON.stringify(described)]);
  answer("E", JSON.stringify(described));
  process.exit(129);
}

function answer(kind, text) {
  write(answers, `${kind} ${process.resourceUsage().maxRSS} ${text}\n`);
}

const lines = createInterface({ input: process.stdin, crlfDelay: Infinity });
const iterator = lines[Symbol.asyncIterator]();
const setup = JSON.parse((await iterator.next()).value);
folder = setup.folder;
jsonLogs = setup.json_logs;
least = Math.max(0, LEVELS.indexOf(setup.level));
process.on("uncaughtException", uncaught);
process.on("unhandledRejection", (reason) =>
  uncaught(Object.assign(new Error(String(reason)), { name: "Runtime.UnhandledPromiseRejection", reason })),
);
const loaded = await load(setup);
write(answers, "READY\n");
for (;;) {
  const next = await iterator.next();
  if (next.done) process.kill(process.pid, "SIGKILL");
  const invocation = JSON.parse(next.value);
  requestId = invocation.request_id;
  process.env._X_AMZN_TRACE_ID = invocation.trace_id ?? "";
  const [kind, text] = await carryOut(loaded, setup, invocation);
  answer(kind, text);
}
