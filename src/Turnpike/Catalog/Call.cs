using System.Security.Cryptography;
using Microsoft.AspNetCore.Http;
using Turnpike.Audit;
using Turnpike.Protocols.Http;

namespace Turnpike.Catalog;

/// <summary>
/// One use of an operation, read from the head of a request: what everybody after it believes about who called what.
/// What later steps learn is set once.
/// </summary>
internal sealed class Call : IAsyncDisposable
{
    /// <summary>The header in which an agent names what it is working on.</summary>
    public const string TaskHeader = "Turnpike-Task";

    private List<IAsyncDisposable>? leases;

    public required ServiceCatalog Catalog { get; init; }

    /// <summary>The operation called; meaningless while <see cref="Rejected"/> is set.</summary>
    public Operation Operation { get; init; } = null!;

    /// <summary>Why this is no call at all (400, 404, 405), or null.</summary>
    public Answer? Rejected { get; init; }

    public required string Method { get; init; }

    /// <summary>The canonical request target: matched, priced, bound, forwarded and logged, always this string.</summary>
    public required TargetResult Target { get; init; }

    public required IHeaderDictionary Headers { get; init; }

    /// <summary>The caller's address, behind trusted proxies the one they name.</summary>
    public required string Address { get; init; }

    /// <summary>TLS here or at a trusted proxy.</summary>
    public required bool Secure { get; init; }

    public required bool Loopback { get; init; }

    public required DateTimeOffset Now { get; init; }

    /// <summary>Reads the whole body once, bounded, and leaves it readable for forwarding; null when there is none.</summary>
    public Func<CancellationToken, ValueTask<ReadOnlyMemory<byte>>>? ReadBody { get; init; }

    /// <summary>The bytes of its body, where a price asks for them.</summary>
    public long BodyLength { get; set; }

    /// <summary>Joins the first 402 with everything after it; a paid retry takes over the one its challenge carries.</summary>
    public string Correlation { get; set; } = Ids.New("c");

    /// <summary>The name of the caller, when it proved one.</summary>
    public string? Caller { get; set; }

    /// <summary>The plan this caller has bought, by name.</summary>
    public string? Plan { get; set; }

    /// <summary>What the caller did here before; null where nobody asked.</summary>
    public Reputation? Reputation { get; set; }

    /// <summary>Who pays, when that is verified.</summary>
    public string? Payer { get; set; }

    /// <summary>The method that pays; null where that is not known.</summary>
    public string? Rail { get; set; }

    /// <summary>What an agent is working on: the header Turnpike-Task, else the trace this call belongs to; null when it says neither.</summary>
    public string? TaskName => Headers[TaskHeader] is [{ Length: > 0 and <= 128 } task] && task.All(c => c is > ' ' and <= '~') ? task : TraceOf(Headers.TraceParent);

    /// <summary>True when the caller's key came in Authorization, so that a payment needs another header.</summary>
    public bool KeyInAuthorization { get; set; }

    /// <summary>True when a credential was presented that only the upstream can check.</summary>
    public bool ForUpstream { get; set; }

    /// <summary>The price of a call that was left to the upstream unpaid; owed if the upstream does not know its credential.</summary>
    public Quote? Deferred { get; private set; }

    /// <summary>Who signed all of this very request, in every name a credential may be bound to; empty: nobody.</summary>
    public IReadOnlyList<string> SignedBy { get; set; } = [];

    /// <summary>Who asks, and how that was proved; null while nobody has said so.</summary>
    public Principal? Principal
    {
        get;
        set => (field, Caller, Plan) = (value, value?.Caller.Name, value?.Caller.PlanAt(Now));
    }

    /// <summary>Whom the caller belongs to, where turnpike.yaml does not name it; null: nobody, or nobody of whom anything is said.</summary>
    public Organisation? Organisation { get; set; }

    /// <summary>The price for this caller; null when nothing is owed.</summary>
    public Quote? Quote { get; set; }

    /// <summary>The receipt of the session that opens this call; null where none does.</summary>
    public string? Session { get; private set; }

    /// <summary>The receipt of the session it shows, sealed and not ended: nothing is owed unless its price has been given back.</summary>
    public string? Pass { get; set; }

    /// <summary>The price of a call that shows a session: owed if that turns out to open nothing.</summary>
    public Quote? Instead { get; set; }

    /// <summary>It was paid for with a session: nothing more is owed.</summary>
    public void Open() => (Session, Instead) = (Pass, null);

    /// <summary>The session it shows opens nothing: the price is owed after all.</summary>
    public void Shut() => (Quote, Instead) = (Instead, null);

    /// <summary>The limits this call counts under, as they stand; null where none is written down.</summary>
    public IReadOnlyList<Policy>? Policies { get; set; }

    /// <summary>A payment credential was presented, whatever it is worth.</summary>
    public bool Pays { get; set; }

    /// <summary>The gate's own no, when it has said one.</summary>
    public Refusal? Refused { get; set; }

    /// <summary>A 2xx answer was passed on to its end, or a part of one whose use is charged.</summary>
    public bool Delivered { get; set; }

    /// <summary>What it came to; null while, or when, nothing was taken.</summary>
    public Ledger.Money? Charged { get; set; }

    /// <summary>What the call uses, where its operation tells or anybody asks; its usage is final when the call's leases end.</summary>
    public Metering.MeteredCall? Metered { get; set; }

    /// <summary>The digest of the body when terms were given for one (RFC 9530 form).</summary>
    public string? BodyDigest { get; set; }

    public string RequestLine => field ??= $"{Method} {Target.Value}";

    /// <summary>The absolute URL, built from configuration, never from the Host header.</summary>
    public string Url => Catalog.Gateway.Url.GetLeftPart(UriPartial.Authority) + Target.Value;

    /// <summary>What was decided in it, for the trail: who asked for what, and on whose behalf.</summary>
    public AuditEvent Event(string kind, string? reason = null, string? reference = null, string? detail = null, string? payer = null, string? method = null, string? amount = null) => new()
    {
        Kind = kind,
        Correlation = Correlation,
        Reason = reason,
        Operation = Rejected is null ? Operation.Name : null,
        Caller = Caller,
        Agent = Principal?.Agent?.Name,
        OnBehalfOf = Principal?.OnBehalfOf,
        Payer = payer,
        Address = Address,
        // A refused target is somebody's invention: it is told by its reason, not repeated into the trail.
        Request = Target.Error is null ? RequestLine : null,
        Method = method,
        Amount = amount,
        Reference = reference,
        Detail = detail,
    };

    /// <summary>True when the upstream is to say whether this caller is one of its own and owes nothing here.</summary>
    public bool LeaveToUpstream()
    {
        if (ForUpstream) (Deferred, Quote) = (Quote, null);
        return ForUpstream;
    }

    /// <summary>The upstream does not know the credential: the price is owed after all.</summary>
    public void Claim() => (Quote, Deferred) = (Deferred, null);

    /// <summary>Something admission took that goes back when the call ends.</summary>
    public void Lease(IAsyncDisposable lease) => (leases ??= []).Add(lease);

    /// <summary>The trace id of a <c>traceparent</c> (W3C Trace Context §3.2.2), all zeroes being none.</summary>
    private static string? TraceOf(Microsoft.Extensions.Primitives.StringValues header) =>
        header is [{ Length: >= 55 } text] && text[2] == '-' && text[35] == '-' && text.AsSpan(3, 32) is var id && !id.ContainsAnyExcept("0123456789abcdef") && id.ContainsAnyExcept('0') ? id.ToString() : null;

    public async ValueTask DisposeAsync()
    {
        foreach (var lease in leases ?? []) await lease.DisposeAsync();
    }
}

/// <summary>A limit as the headers tell it.</summary>
/// <param name="Window">Null: so many at once.</param>
/// <param name="Until">How long until more is left.</param>
internal sealed record Policy(string Name, Ledger.Money Limit, TimeSpan? Window, long Left, TimeSpan Until);

/// <summary>What a call costs at most, for this caller, until when. A metered price has a quote of its own kind.</summary>
/// <param name="Ceiling">Never more than this; for a fixed price, the price.</param>
/// <param name="Unit">What the price is per, <c>call</c>.</param>
/// <param name="Version">The version of the document the price comes from.</param>
internal record Quote(Ledger.Money Ceiling, string Unit, string Version, DateTimeOffset ValidUntil)
{
    /// <summary>The price as a sentence.</summary>
    public virtual string Told => $"{Ceiling} per {Unit}.";
}

/// <summary>
/// Names for things: unguessable, short, and in order of time. New names stand at the end of every index of the books, so that a
/// transaction writes a few pages and not one for each name.
/// </summary>
internal static class Ids
{
    public const string Alphabet = "0123456789abcdefghijkmnpqrstuvwx"; // sorted
    private const int Moment = 11, Length = 26;

    /// <summary>Random bytes fetched ahead: asking for eighteen costs as much as asking for a thousand. Each is used once.</summary>
    [ThreadStatic]
    private static byte[]? ahead;

    [ThreadStatic]
    private static int used;

    /// <summary>A prefix, an underscore and 26 characters: the moment in microseconds, then 75 random bits.</summary>
    public static string New(string prefix) => string.Create(prefix.Length + 1 + Length, prefix, static (text, prefix) =>
    {
        prefix.CopyTo(text);
        text[prefix.Length] = '_';
        text = text[(prefix.Length + 1)..];
        var moment = (TimeProvider.System.GetUtcNow() - DateTimeOffset.UnixEpoch).Ticks / TimeSpan.TicksPerMicrosecond;
        for (var i = Moment - 1; i >= 0; i--, moment >>= 5) text[i] = Alphabet[(int)(moment & 31)];
        var random = Random(Length - Moment);
        for (var i = 0; i < random.Length; i++) text[Moment + i] = Alphabet[random[i] & 31];
    });

    /// <summary>So many random bytes, at most a thousand, for whoever uses them at once: the next to ask on this thread may be given others in their place.</summary>
    public static ReadOnlySpan<byte> Random(int count)
    {
        var bytes = ahead ??= new byte[1020];
        if (used == 0 || used + count > bytes.Length)
        {
            RandomNumberGenerator.Fill(bytes);
            used = 0;
        }
        used += count;
        return bytes.AsSpan(used - count, count);
    }
}
