using System.Security.Cryptography;
using System.Text;
using Turnpike.Audit;
using Turnpike.Catalog;
using Turnpike.Ledger;

namespace Turnpike.Admin.Support;

/// <summary>All that is known of one payment, for whoever disputes it.</summary>
/// <param name="Iss">The installation that says so.</param>
/// <param name="Issued">When this was written.</param>
/// <param name="ProofDigest">SHA-256 over what settlement kept of the proof, hex: the proof itself is a credential and not shown. Null for tokens.</param>
/// <param name="Binding">The digest of operation, request, body and proof that the payment was bound to.</param>
/// <param name="Answer">Status, bytes and SHA-256 of the answer as it left, and of the request's body where it was bound to one; null when nothing was delivered.</param>
/// <param name="Events">Every decision of its correlation, each with its hash in the audit trail.</param>
internal sealed record Evidence(string Iss, DateTimeOffset Issued, PaymentView Payment, string? ProofDigest, string Binding, string? Answer, IReadOnlyList<RefundView> Refunds, IReadOnlyList<EventView> Events)
{
    public const string Type = "turnpike-evidence+jwt";

    public static Evidence Of(PaymentStory story, HoldState state, GatewaySettings gateway, DateTimeOffset now) => new(
        gateway.Url.GetLeftPart(UriPartial.Authority),
        now,
        story.Payment,
        state.Hold.Terms is { } terms ? Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(terms))) : null,
        state.Hold.Binding,
        story.Events.FirstOrDefault(e => e.Kind == AuditKinds.Delivered && e.Reference == state.Hold.Receipt)?.Detail,
        story.Refunds,
        story.Events);
}

/// <summary>The evidence to read, and the same signed (JWS, ES256): what the signature covers counts.</summary>
internal sealed record SignedEvidence(Evidence Evidence, string Signed);
