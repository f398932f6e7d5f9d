import { examine } from '../stripe/reconciliation/doctor/doctor.js';
import type { JsonOption } from './arguments.js';
import { EXIT } from './exit-codes.js';
import { withPlanFile } from './plan-file-argument.js';
import { show, type Terminal } from './terminal.js';
import { withStripe } from './with-stripe.js';

export interface DoctorOptions extends JsonOption {
  readonly plans: string;
}

/** `tenure doctor`. */
export function askDoctor(terminal: Terminal, options: DoctorOptions): Promise<void> {
  return withPlanFile(terminal, options.plans, ({ catalog }) =>
    withStripe(terminal, null, async (gateway, livemode) => {
      const findings = await examine({
        gateway,
        catalog,
        livemode,
        now: () => Math.floor(Date.now() / 1_000),
        onProgress: (what) => terminal.err(`asking Stripe for ${what}\n`),
      });
      const lines = findings.flatMap(({ code, says, remedy }) => [`${code}: ${says}`, `  ${remedy}`]);
      show(terminal, options, findings, findings.length === 0 ? ['Nothing found.'] : lines);
      if (findings.length > 0) terminal.exitWith(EXIT.no);
    }),
  );
}
