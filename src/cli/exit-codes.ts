/** What a command ends with. The numbers above 1 are those of sysexits.h. */
export const EXIT = {
  done: 0,
  /** The command ran, and the answer is no: there is no such thing, it is refused, a comparison found a difference. */
  no: 1,
  /** It was called wrongly. */
  usage: 64,
  /** A file that it was given has faults. */
  data: 65,
  /** Something it needs is not there or does not answer. */
  unavailable: 69,
  /** It failed in a way that nobody foresaw. */
  software: 70,
  /** A setting is missing or bad. */
  config: 78,
} as const;
export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

/** Text of the exit codes for `--help`. */
export const EXIT_HELP = `
Exit codes:
  0   done
  1   the answer is no: no such thing, refused, a difference found, faults of a file that was to be checked
  64  called wrongly
  65  a file that was given has faults
  69  a database or store that is needed does not answer
  70  failed in a way that nobody foresaw
  78  a setting is missing or bad`;
