/** What a command ends with. The numbers above 1 are those of sysexits.h. */
export const EXIT = {
  done: 0,
  /** The command ran, and the answer is no: there is no such thing, a file has faults, a comparison found a difference. */
  no: 1,
  /** It was called wrongly. */
  usage: 64,
  /** Something it needs is not there or does not answer. */
  unavailable: 69,
  /** It failed in a way that nobody foresaw. */
  software: 70,
  /** A setting is missing or bad. */
  config: 78,
} as const;
export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

/** For `--help`. */
export const EXIT_HELP = `
Exit codes:
  0   done
  1   the answer is no: no such thing, a file with faults, a difference found
  64  called wrongly
  69  a database or store that is needed does not answer
  70  failed in a way that nobody foresaw
  78  a setting is missing or bad`;
