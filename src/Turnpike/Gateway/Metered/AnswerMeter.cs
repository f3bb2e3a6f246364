using System.Diagnostics.CodeAnalysis;
using Turnpike.Catalog;
using Turnpike.Metering;
using Turnpike.Payments;
using Turnpike.Pricing;

namespace Turnpike.Gateway.Metered;

/// <summary>
/// Metering of one answer: reads its usage as it passes, keeps the usage chunk nobody asked for, ends a stream whose price has reached
/// what is held, and tells the cashier how far it is.
/// </summary>
internal sealed class AnswerMeter
{
    private const int Leap = 16; // times the text so far: more is known to be paid for after few questions
    private static readonly object Key = new();
    private static readonly TimeSpan First = TimeSpan.FromMilliseconds(250), Each = TimeSpan.FromSeconds(1);

    private readonly Payment payment;
    private readonly Cashier cashier;
    private readonly TimeProvider time;
    private readonly MeteredQuote? quote;
    private readonly HttpResponseMessage upstream;
    private long told, text, within;

    private AnswerMeter(Payment payment, Cashier cashier, TimeProvider time, HttpResponseMessage upstream, bool readable)
    {
        (this.payment, this.cashier, this.time, this.upstream) = (payment, cashier, time, upstream);
        quote = payment.Call.Quote as MeteredQuote;
        Reader = new UsageReader(payment.Call.Metered!, readable ? upstream.Content.Headers.ContentType?.MediaType : null);
        Drops = Reader.HasFrames && payment.Call.Metered!.Request is { MustAskForUsage: true, AsksForUsage: false };
    }

    public UsageReader Reader { get; }

    /// <summary>The chunk that tells usage alone does not leave: the caller did not ask for it.</summary>
    public bool Drops { get; }

    /// <summary>Frames have to be whole before they leave: one may be dropped, or be the last.</summary>
    public bool Frames => Reader.HasFrames && (Drops || quote is not null);

    /// <summary>Bytes that left.</summary>
    public long Passed { get; set; }

    /// <summary>The price of what passed has reached what is held.</summary>
    public bool IsSpent { get; private set; }

    /// <summary>Nothing more will be read.</summary>
    public bool HasEnded { get; private set; }

    private Usage Usage => payment.Call.Metered!.Usage;

    /// <summary>Puts a meter into the answer of a metered call.</summary>
    public static AnswerMeter Begin(HttpContext http, HttpResponseMessage upstream, Payment payment, Cashier cashier, bool readable)
    {
        var meter = new AnswerMeter(payment, cashier, http.RequestServices.GetRequiredService<TimeProvider>(), upstream, readable);
        http.Items[Key] = meter;
        return meter;
    }

    public static bool TryOf(HttpContext http, [NotNullWhen(true)] out AnswerMeter? meter) =>
        (meter = http.Items.TryGetValue(Key, out var found) ? (AnswerMeter)found! : null) is not null;

    /// <summary>A frame is whole, or a piece of an answer without frames was read. True when it may leave.</summary>
    public bool MayLeave()
    {
        if (quote is null)
        {
            if (!Reader.IsAlike) Reader.Tell();
            return !Drops || !Reader.Format.IsOnlyUsage(Reader.Told);
        }
        if (!Reader.IsAlike)
        {
            Reader.Tell();
            within = 0;
        }
        if (Frames && Reader.Told.Text > Math.Max(text, within) && !Covers(quote))
        {
            Reader.Tell();
            IsSpent = true;
            return false;
        }
        text = Reader.Told.Text;
        return !Drops || !Reader.Format.IsOnlyUsage(Reader.Told);
    }

    /// <summary>After a frame that left: the frames after it that tell no more than text which is known to be paid for leave with it. Tells how far.</summary>
    public int LetPass(ReadOnlySpan<byte> bytes) => Drops && Reader.Format.IsOnlyUsage(Reader.Told) ? 0 : Reader.ReadAlike(bytes, quote is null ? long.MaxValue : within);

    /// <summary>
    /// What is held pays for the text so far. While nothing but text comes, it is not asked again before as much text as is known to be
    /// paid for: far from the end that is many times what came, at the end it is each frame.
    /// </summary>
    private bool Covers(MeteredQuote quote)
    {
        var said = Reader.Told.Text;
        for (var more = Leap * said; ; more /= 2)
        {
            if (Pays(quote, said + more))
            {
                within = said + more;
                return true;
            }
            if (more == 0) return false;
        }
    }

    private bool Pays(MeteredQuote quote, long text) => quote.AtLeast(Usage, text, payment.Ceiling.Currency) <= payment.Ceiling;

    /// <summary>The provider's own words for the end of a stream that reached its maximum.</summary>
    public ReadOnlyMemory<byte> Ending() => Reader.Ending();

    /// <summary>Nothing more will come, for whatever reason.</summary>
    public void End()
    {
        if (HasEnded) return;
        HasEnded = true;
        Reader.End(time.GetElapsedTime(payment.Call.Metered!.Sent), HeaderOf);
    }

    /// <summary>What was read is about to leave. At most once a second: what a crash would be charged for. An answer that is over at once needs none.</summary>
    public void Checkpoint()
    {
        if (quote is null || payment.State is null) return;
        if (told == 0 ? time.GetElapsedTime(payment.Call.Metered!.Sent) < First : time.GetElapsedTime(told) < Each) return;
        told = time.GetTimestamp();
        Reader.Tell();
        _ = cashier.ObserveAsync(payment, quote.Running(Usage, payment.Ceiling.Currency));
    }

    private string? HeaderOf(string name) =>
        upstream.Headers.TryGetValues(name, out var values) || upstream.Content.Headers.TryGetValues(name, out values) ? string.Join(",", values) : null;
}
