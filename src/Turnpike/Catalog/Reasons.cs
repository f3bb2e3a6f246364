namespace Turnpike.Catalog;

/// <summary>One row of the table of refusals: a stable code, its status, a title, and what the agent can do.</summary>
internal sealed record Reason(string Code, int Status, string Title, string Hint)
{
    private const string Mpp = "https://paymentauth.org/problems/";

    /// <summary>The problem type: MPP's on 402, IANA's on 429, ours otherwise.</summary>
    public string Type { get; init; } = "urn:turnpike:problem:" + Code;

    /// <summary>The same row with one of MPP's problem types.</summary>
    public Reason AsMpp(string name) => this with { Type = Mpp + name };
}

/// <summary>Every way to say no. The list is closed: docs/contract.md shows it, and each row has a test.</summary>
internal static class Reasons
{
    private const string Again = "Sign a fresh payment for one of the offers and repeat the request.";
    private const string Iana = "https://iana.org/assignments/http-problem-types#";

    public static readonly Reason AmbiguousTarget = new("ambiguous-target", 400, "The request target is ambiguous", "Send the path in its plain, canonical form.");
    public static readonly Reason AmbiguousPayment = new("ambiguous-payment", 400, "More than one payment was presented", "Send exactly one payment credential, in one header.");
    public static readonly Reason MalformedRequest = new("malformed-request", 400, "The request is malformed", "Mend what the detail names.");
    public static readonly Reason BodyTooLarge = new("body-too-large", 413, "The request's body is larger than can be looked through", "Send at most 8 MiB; nothing was charged.");
    public static readonly Reason SchemaMismatch = new("schema-mismatch", 400, "The request's body is not what this operation takes", "Mend what the detail names; nothing was charged.");
    public static readonly Reason UnknownKey = new("unknown-key", 401, "The credential is not known here", "Leave the key out, or present one that was issued for this service.");
    public static readonly Reason KeyExpired = new("key-expired", 401, "The credential has expired", "Ask for a new one.");
    public static readonly Reason KeyRevoked = new("key-revoked", 401, "The credential has been revoked", "Ask the one who gave it to you.");
    public static readonly Reason InvalidToken = new("invalid-token", 401, "The access token is not good here", "Get a token from the issuer this service names, for this service.");
    public static readonly Reason InvalidSignature = new("invalid-signature", 401, "The request's signature is not good here", "Sign this very request anew, or leave the signature out.");
    public static readonly Reason ProofRequired = new("proof-required", 401, "The credential is bound to a key", "Sign the request with that key, by DPoP or HTTP message signatures.");
    public static readonly Reason UnknownCaller = new("unknown-caller", 401, "You are not one of this service's callers", "Ask the owner of this service to add you.");
    public static readonly Reason IdentityRequired = new("identity-required", 401, "This operation asks who you are", "Present an API key.");
    public static readonly Reason UnknownModel = new("unknown-model", 400, "This model is not sold here", "Name one of the models in the detail.");
    public static readonly Reason NotFound = new("not-found", 404, "Nothing is sold at this path", "See /openapi.json for what is.");
    public static readonly Reason MethodNotAllowed = new("method-not-allowed", 405, "This path does not take that method", "See the Allow header.");

    public static readonly Reason PaymentRequired = new Reason("payment-required", 402, "Payment is required", "Pay one of the offers and repeat the request with the proof.").AsMpp("payment-required");
    public static readonly Reason PriceAboveMaximum = new Reason("price-above-maximum", 402, "The price is above your maximum", "Raise Turnpike-Max-Price, or do without.").AsMpp("payment-insufficient");
    public static readonly Reason MalformedCredential = new Reason("malformed-credential", 402, "The payment credential cannot be read", Again).AsMpp("malformed-credential");
    public static readonly Reason InvalidChallenge = new Reason("invalid-challenge", 402, "The payment does not answer these terms", Again).AsMpp("invalid-challenge");
    public static readonly Reason WrongResource = new Reason("wrong-resource", 402, "The payment was made for something else", "Use a payment only for the request whose terms it answers.").AsMpp("invalid-challenge");
    public static readonly Reason PaymentExpired = new Reason("payment-expired", 402, "The payment or its terms have expired", Again).AsMpp("payment-expired");
    public static readonly Reason PaymentInsufficient = new Reason("payment-insufficient", 402, "The payment is not for the amount asked", Again).AsMpp("payment-insufficient");
    public static readonly Reason VerificationFailed = new Reason("verification-failed", 402, "The payment does not verify", Again).AsMpp("verification-failed");
    public static readonly Reason MethodUnsupported = new Reason("method-unsupported", 402, "This way to pay is not offered here", "Choose one of the offers.").AsMpp("method-unsupported");
    public static readonly Reason CredentialUsed = new Reason("credential-used", 402, "This payment has been spent", Again).AsMpp("invalid-challenge");
    public static readonly Reason PaymentActionRequired = new Reason("payment-action-required", 402, "The payer has to confirm this payment", "Use another payment method, or let the payer confirm.").AsMpp("payment-action-required");
    public static readonly Reason SettlementFailed = new Reason("settlement-failed", 402, "The payment was refused when it was collected", "You were not charged. " + Again).AsMpp("verification-failed");
    public static readonly Reason UnknownToken = new Reason("unknown-token", 402, "This token is not one of ours", "Check the token for typing errors, or buy one.").AsMpp("verification-failed");
    public static readonly Reason TokenExpired = new Reason("token-expired", 402, "The token has expired", "Buy or ask for a new token.").AsMpp("payment-expired");
    public static readonly Reason TokenExhausted = new Reason("token-exhausted", 402, "The token's budget does not cover this call", "Top the token up, or pay another way.").AsMpp("payment-insufficient");
    public static readonly Reason TokenOverCalled = new Reason("token-over-called", 402, "The token's calls are used up", "Buy or ask for a new token.").AsMpp("payment-insufficient");

    public static readonly Reason BalanceExhausted = new Reason("balance-exhausted", 402, "Your balance does not cover this call", "Pay one of the offers, or ask the owner for more.").AsMpp("payment-insufficient");
    public static readonly Reason SessionEnded = new Reason("session-ended", 402, "This session does not open this call", "Pay one of the offers, and send the Turnpike-Session header of that answer.").AsMpp("payment-required");
    public static readonly Reason CreditLineReached = new Reason("credit-line-reached", 402, "No more is taken on account in this period", "Pay one of the offers, or wait until resetAt.").AsMpp("payment-required");
    public static readonly Reason InvoicePastDue = new Reason("invoice-past-due", 402, "An invoice of yours was not paid in time", "Pay the invoice, or pay this call by one of the offers.").AsMpp("payment-required");
    public static readonly Reason AllowanceUsedUp = new Reason("allowance-used-up", 402, "What your plan includes is used up", "Pay one of the offers, or wait until resetAt.").AsMpp("payment-required");

    public static readonly Reason TokenRevoked = new("token-revoked", 403, "The token has been revoked", "Ask the one who gave it to you.");
    public static readonly Reason TokenFrozen = new("token-frozen", 403, "The token is frozen", "Ask the one who gave it to you.");
    public static readonly Reason TokenWrongOperation = new("token-wrong-operation", 403, "The token does not open this operation", "Use it where it was issued for.");
    public static readonly Reason TokenStanding = new("token-standing", 403, "A standing grant is exchanged, not spent", "Exchange it for a short-lived token at /tokens/exchange, and spend that.");
    public static readonly Reason TokenCallCap = new("token-call-cap", 403, "One call of this token may not cost that much", "Pay another way.");
    public static readonly Reason ApprovalRequired = new("approval-required", 403, "An operator has to say yes first", "Ask at approval.url after Retry-After, then repeat this request. Nothing was taken.");
    public static readonly Reason ApprovalDenied = new("approval-denied", 403, "An operator has said no", "Ask the owner of this service.");
    public static readonly Reason StrongerIdentity = new("stronger-identity", 403, "This asks for a surer proof of who you are", "Sign the request with the key your credential is bound to.");
    public static readonly Reason AllowanceOver = new("allowance-over", 403, "What your plan allows is used up", "Ask the owner for a larger plan, or wait until resetAt.");
    public static readonly Reason CapSpent = new("cap-spent", 403, "What may be spent in all is spent", "Ask the owner to raise the cap.");
    public static readonly Reason AccountPastDue = new("account-past-due", 403, "An invoice of yours was not paid in time", "Pay the invoice; you are served again within a minute.");
    public static readonly Reason MissingScope = new("missing-scope", 403, "You lack a right this operation asks for", "Ask the owner of this service for what the detail names.");
    public static readonly Reason AccessDenied = new("access-denied", 403, "This is not open to you", "Ask the owner of this service.");
    public static readonly Reason PlanLacks = new("plan-lacks", 403, "Your plan does not open this", "Ask the owner of this service for a plan with what the detail names.");
    public static readonly Reason AssuranceRequired = new("assurance-required", 403, "It is not known surely enough who you are", "Sign the request: DPoP beside a bound key, or an HTTP message signature over all of it.");
    public static readonly Reason CredentialRestricted = new("credential-restricted", 403, "The credential is not for this", "Use it where it was issued for, or another one.");
    public static readonly Reason CallerSuspended = new("caller-suspended", 403, "The caller is not served", "Ask the owner of this service.");
    public static readonly Reason InsecureTransport = new("insecure-transport", 403, "Payments are not taken over plain HTTP", "Use https.");

    public static readonly Reason InFlight = new("in-flight", 409, "The same credential is being served right now", "Wait for the first answer, then repeat this request.");
    public static readonly Reason AlreadyDelivered = new("already-delivered", 409, "This payment has bought its answer, which is no longer kept", "See the receipt; sign a fresh payment for another call.");
    public static readonly Reason IdempotencyMismatch = new("idempotency-key-reused", 422, "The Idempotency-Key was used for another request", "Use a new key for a new request.");
    public static readonly Reason IdentifierReused = new("payment-identifier-reused", 409, "The payment identifier came with another payment", "Use a new identifier for a new payment, or send the first payload again.");
    public static readonly Reason AnswerAboveCeiling = new("answer-above-ceiling", 422, "The answer costs more than this call may", "You were not charged. Ask for less, or raise your maximum.");
    public static readonly Reason TooManyUnpaid = new("too-many-unpaid", 429, "Too many requests without payment", "Wait, or pay.") { Type = Iana + "quota-exceeded" };
    public static readonly Reason TooManyInvalidProofs = new("too-many-invalid-proofs", 429, "Too many payments that did not verify", "Wait, and check how the payment is made.") { Type = Iana + "quota-exceeded" };
    public static readonly Reason TooManyGuesses = new("too-many-guesses", 429, "Too many credentials that are not good here", "Wait, and check which key or token you present.") { Type = Iana + "quota-exceeded" };
    public static readonly Reason TooManyCalls = new("too-many-calls", 429, "Too many calls", "Wait as long as Retry-After says.") { Type = Iana + "quota-exceeded" };

    public static readonly Reason AbnormalUsage = new("abnormal-usage", 429, "This looks like an agent that has run away", "Stop and look at what it does; then wait as long as Retry-After says.") { Type = Iana + "abnormal-usage-detected" };
    public static readonly Reason CapReached = new("cap-reached", 429, "You would spend more than you may", "Wait until resetAt, or ask the owner to raise the cap.") { Type = Iana + "quota-exceeded" };
    public static readonly Reason AllowanceRenews = new("allowance-renews", 429, "What your plan includes is used up for now", "Wait until resetAt.") { Type = Iana + "quota-exceeded" };

    public static readonly Reason InternalError = new("internal-error", 500, "The gateway failed", "Nothing was taken that was not delivered. Try again, and tell the owner.");
    public static readonly Reason UpstreamFailed = new("upstream-failed", 502, "The service behind this gateway failed", "You were not charged; the same payment works again.");
    public static readonly Reason UpstreamAsksPayment = new("upstream-asks-payment", 502, "The service behind this gateway asked the gateway to pay", "You were not charged. The owner has to see to it.");
    public static readonly Reason UpstreamTooDear = new("upstream-too-dear", 502, "The service behind this gateway asks for more than may be paid", "You were not charged, or have it back as credit. Ask again later, or ask the owner.");
    public static readonly Reason SpendingCapReached = new("spending-cap-reached", 503, "What may be spent on the service behind this gateway is spent", "What you paid is yours again. Repeat the request after Retry-After.");
    public static readonly Reason AnswerWithheld = new("answer-withheld", 502, "The answer may not be shown to you as it is", "You were not charged. The owner has to see to it.");
    public static readonly Reason UpstreamDown = new("upstream-down", 503, "The service behind this gateway is down", "You were not charged; the same payment works again.");
    public static readonly Reason UpstreamTimeout = new("upstream-timeout", 504, "The service behind this gateway took too long", "You were not charged; the same payment works again.");
    public static readonly Reason SettlementUnknown = new("settlement-unknown", 503, "It is not yet known whether your payment went through", "Do not pay again. Repeat this very request after Retry-After.");
    public static readonly Reason LoopDetected = new("loop-detected", 508, "This request has come through here too often", "An agent or a service calls itself through this gateway: end the loop.");
    public static readonly Reason IssuerDown = new("issuer-down", 503, "It cannot be checked right now who you are", "Nothing was taken. Repeat this very request after Retry-After.");
    public static readonly Reason VerifierDown = new("verifier-down", 503, "The payment cannot be checked right now", "Nothing was taken. Repeat this very request, or pay another way.");
    public static readonly Reason VerifierBusy = new("verifier-busy", 503, "Too many payments are being checked", "Nothing was taken. Repeat this very request after Retry-After.");
    public static readonly Reason Draining = new("draining", 503, "This node is going down", "Nothing was taken. Repeat the request on a new connection: another node or the next start answers it.");
    public static readonly Reason TrailFull = new("trail-full", 503, "Too much waits to be recorded", "Nothing was taken. Repeat the request after Retry-After.");
    public static readonly Reason Closed = new("closed", 503, "This is closed for now", "Nothing was taken. Try again later.");
    public static readonly Reason ReadOnly = new("read-only", 503, "Only reading is served for now", "Nothing was taken. Try again later.");
    public static readonly Reason PaidOnly = new("paid-only", 503, "Only paid operations are served for now", "Try again later.");
    public static readonly Reason NoNewPayments = new("no-new-payments", 503, "No payments are taken for now", "Nothing was taken. Try again later.");
    public static readonly Reason Overloaded = new("overloaded", 503, "The service behind this gateway has no place for this now", "Nothing was taken. Repeat this very request after Retry-After.") { Type = Iana + "temporary-reduced-capacity" };
    public static readonly Reason DecisionMissing = new("decision-missing", 503, "Nobody says whether this may be", "Nothing was taken that was not given back. Repeat this very request after Retry-After.");
    public static readonly Reason PricerDown = new("pricer-down", 503, "The price cannot be told right now", "Nothing was taken. Try again later.");
    public static readonly Reason StoreDown = new("store-down", 503, "The books cannot be written", "Nothing was taken. Try again later.");

    /// <summary>An honest payer short of money: not a proof that was wrong.</summary>
    public static bool IsAboutFunds(Reason reason) => reason == TokenExhausted || reason == TokenOverCalled || reason == TokenExpired || reason == PriceAboveMaximum || reason == PaymentExpired;

    public static IReadOnlyList<Reason> All { get; } = [.. typeof(Reasons).GetFields().Select(f => f.GetValue(null)).OfType<Reason>()];
}
