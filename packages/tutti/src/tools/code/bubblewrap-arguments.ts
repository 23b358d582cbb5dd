import { lstatSync, readlinkSync } from "node:fs";

import { codeLimits, type CodeLanguage } from "./code-provider.ts";

export interface SandboxLimits {
  readonly memoryBytesMax: number;
  readonly filesBytesMax: number;
  readonly processesMax: number;
  /** Of computing, a last line behind the deadline. */
  readonly timeSecondsMax: number;
}

/** Which descriptors carry what: the program and its input go in, its result comes out. */
export const descriptors = { program: 3, input: 4, result: 5 } as const;

const tmpBytesMax = 16_000_000;
const openFilesMax = 256;
/** Where Tutti's own Node is inside. It reserves far more address space than it uses. */
const nodeInside = "/tutti/node";
const nodeReservedBytes = 1_000_000_000;

/** Inside: no rights, no network, no other processes, no names of this machine, and only the system's own programs, which can't be changed. */
export function toBubblewrapArguments(language: CodeLanguage, limits: SandboxLimits): readonly string[] {
  const { file, command } = programs[language];
  const isNode = command[0] === nodeInside;
  const data = limits.memoryBytesMax + (isNode ? nodeReservedBytes : 0);
  return [
    ...words("--unshare-all --unshare-user --disable-userns --uid 65534 --gid 65534 --cap-drop ALL"),
    ...words("--new-session --die-with-parent --clearenv --hostname sandbox"),
    ...words("--ro-bind /usr /usr"),
    ...systemFolders(),
    ...words("--ro-bind-try /etc/alternatives /etc/alternatives --ro-bind-try /etc/ld.so.cache /etc/ld.so.cache"),
    ...words("--proc /proc --dev /dev"),
    ...words(`--size ${limits.filesBytesMax} --tmpfs /job --size ${tmpBytesMax} --tmpfs /tmp`),
    ...words(`--file ${descriptors.program} /job/${file} --file ${descriptors.input} /job/input.json`),
    ...(isNode ? ["--ro-bind", process.execPath, nodeInside] : []),
    ...words("--chdir /job --setenv PATH /usr/bin:/bin --setenv HOME /job --setenv LANG C.UTF-8 --"),
    // Set inside, so that only what runs inside is counted.
    ...words(`/usr/bin/prlimit --cpu=${limits.timeSecondsMax} --data=${data} --nproc=${limits.processesMax}`),
    ...words(`--fsize=${limits.filesBytesMax} --nofile=${openFilesMax} --core=0 -- /bin/sh -c`),
    wrapper,
    "sh",
    ...command,
  ];
}

function words(line: string): readonly string[] {
  return line.split(" ");
}

/** Says that the sandbox stands, runs the program out of reach of the result's descriptor, and hands over what it left. */
const wrapper = [
  `printf + >&${descriptors.result}`,
  `"$@" <input.json ${descriptors.result}>&-`,
  "code=$?",
  `[ -f result.json ] && head -c ${codeLimits.resultCharsMax * 4} result.json >&${descriptors.result}`,
  "exit $code",
].join("; ");

const programs: Readonly<Record<CodeLanguage, { readonly file: string; readonly command: readonly string[] }>> = {
  python: { file: "program.py", command: ["/usr/bin/python3", "-I", "-B", "program.py"] },
  bash: { file: "program.sh", command: ["/bin/bash", "program.sh"] },
  node: { file: "program.mjs", command: [nodeInside, "program.mjs"] },
  javascript: { file: "program.mjs", command: [nodeInside, "program.mjs"] },
};

// Links into /usr on most systems, folders of their own on older ones.
function systemFolders(): readonly string[] {
  return ["/bin", "/sbin", "/lib", "/lib64"].flatMap((folder) => {
    const found = lstatSync(folder, { throwIfNoEntry: false });
    if (found === undefined) return [];
    return found.isSymbolicLink() ? ["--symlink", readlinkSync(folder), folder] : ["--ro-bind", folder, folder];
  });
}
