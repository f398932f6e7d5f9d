import { ProblemError } from '../../http/problem.js';
import { UserErasedError } from '../../pseudonyms/errors.js';
import { isErasedMark } from '../../pseudonyms/pseudonym.js';
import type { Decisions, EntitlementsService } from '../entitlements/entitlements.service.js';
import {
  type EvaluationRequest,
  type EvaluationResponse,
  type EvaluationsRequest,
  type EvaluationsResponse,
  evaluationRequest,
} from './authzen.schemas.js';
import { pathOf, routeFor } from './request-path.js';

/** Holds who asks to the users that they may ask about. @throws ProblemError `other_user` */
export type MayAsk = (userId: string) => void;

/** Answers evaluations of OpenID AuthZEN 1.0: subjects are users, resources features, or routes by the plan file. */
export class AuthZenService {
  constructor(private readonly entitlements: Pick<EntitlementsService, 'decisions'>) {}

  /** @throws ProblemError `other_user`, `invalid_user_id` */
  evaluation(request: EvaluationRequest, mayAsk: MayAsk): Promise<EvaluationResponse> {
    return this.#evaluate(request, mayAsk, new Map());
  }

  /**
   * Without `evaluations` as a single one. An entry that lacks something, or asks of a user who is erased, is denied with an
   * error of its own.
   * @throws ProblemError `other_user`, and `invalid_request` where a single one lacks something; UserErasedError
   */
  async evaluations(request: EvaluationsRequest, mayAsk: MayAsk): Promise<EvaluationsResponse> {
    const { evaluations = [], options, ...defaults } = request;
    if (evaluations.length === 0) {
      const single = evaluationRequest.safeParse(defaults);
      if (!single.success) throw new ProblemError('invalid_request', faultOf(single.error.issues));
      if (isErasedMark(single.data.subject.id)) throw new UserErasedError();
      return this.evaluation(single.data, mayAsk);
    }
    const known = new Map<string, Promise<Decisions>>();
    const answers: EvaluationResponse[] = [];
    for (const each of evaluations) {
      const asked = evaluationRequest.safeParse({ ...defaults, ...each });
      const answer: EvaluationResponse = asked.success
        ? await this.#evaluate(asked.data, mayAsk, known)
        : { decision: false, context: { error: { status: 400, message: faultOf(asked.error.issues) } } };
      answers.push(answer);
      const semantic = options?.evaluations_semantic ?? 'execute_all';
      if (semantic === 'deny_on_first_deny' && !answer.decision) break;
      if (semantic === 'permit_on_first_permit' && answer.decision) break;
    }
    return { evaluations: answers };
  }

  async #evaluate(
    { subject, resource }: EvaluationRequest,
    mayAsk: MayAsk,
    known: Map<string, Promise<Decisions>>,
  ): Promise<EvaluationResponse> {
    if (subject.type !== 'user') return no('unknown_subject_type');
    mayAsk(subject.id);
    if (isErasedMark(subject.id)) return ERASED;
    const asking = known.get(subject.id) ?? this.entitlements.decisions(subject.id);
    known.set(subject.id, asking);
    const decisions = await asking;
    const { faulted } = decisions.snapshot;
    const marked = faulted === undefined ? {} : { faulted };
    const asked = featureOf(resource, decisions);
    if ('refused' in asked) return { decision: false, context: { reason: asked.refused, ...marked } };
    const { allowed, reason, plan, upgradeTo } = decisions.decide(asked.feature, 1);
    const more = upgradeTo === undefined ? {} : { upgradeTo };
    return { decision: allowed, context: { reason, plan, ...more, ...marked } };
  }
}

/** As an entry of several says that its user is erased. */
const ERASED: EvaluationResponse = {
  decision: false,
  context: { error: { status: 410, message: 'user_erased' } },
};

function featureOf(
  { type, id }: EvaluationRequest['resource'],
  { catalog }: Decisions,
): { readonly feature: string } | { readonly refused: string } {
  if (type === 'feature') return { feature: id };
  if (type !== 'route') return { refused: 'unknown_resource_type' };
  const space = id.indexOf(' ');
  const path = space < 1 ? null : pathOf(Buffer.from(id.slice(space + 1), 'utf8').toString('latin1'));
  if (path === null) return { refused: 'path_refused' };
  const route = routeFor(catalog, id.slice(0, space), path);
  return route === null ? { refused: 'no_route' } : { feature: route.feature };
}

function no(reason: string): EvaluationResponse {
  return { decision: false, context: { reason } };
}

function faultOf(
  issues: readonly { readonly path: readonly PropertyKey[]; readonly message: string }[],
): string {
  return issues.map(({ path, message }) => `${path.map(String).join('.')}: ${message}`).join('; ');
}
