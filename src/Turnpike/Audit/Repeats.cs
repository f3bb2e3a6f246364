using System.Diagnostics.CodeAnalysis;

namespace Turnpike.Audit;

/// <summary>
/// Refusals that say the same again and again. The first few of a window are told one by one, at once; the rest are counted and told
/// as one event with the count when the window ends, or earlier when somebody reads. What finds no place here is told by itself:
/// nothing is left out, and a flood costs a row in ten seconds instead of one each.
/// </summary>
/// <remarks>Alike is everything but the correlation. The event that is told is the first of those counted.</remarks>
internal sealed class Repeats(TimeProvider clock)
{
    /// <summary>So many in a window stay apart: a caller that pays each time finds its 402 by correlation.</summary>
    public const int Apart = 8;

    /// <summary>A flood of different refusals must not fill the memory.</summary>
    private const int MostKinds = 4096;

    public static readonly TimeSpan Window = TimeSpan.FromSeconds(10);

    /// <summary>Whoever writes many transactions a second looks through them no more often.</summary>
    private static readonly TimeSpan Look = TimeSpan.FromSeconds(1);

    private readonly Lock guard = new();
    private readonly Dictionary<AuditEvent, Run> runs = new(Alike.Instance);
    private long looked;
    private bool all;

    /// <summary>True when it was counted and will be told with others.</summary>
    public bool TryCount(AuditEvent happened)
    {
        lock (guard)
        {
            if (!runs.TryGetValue(happened, out var run))
            {
                // What names no place and no request is of few kinds, and always counted: it is what the door says when it is closed.
                if (runs.Count < MostKinds || happened is { Request: null, Address: null }) runs.Add(happened, new Run(clock.GetTimestamp()));
                return false;
            }
            if (run.Seen < Apart)
            {
                run.Seen++;
                return false;
            }
            run.First ??= happened;
            run.Counted++;
            return true;
        }
    }

    /// <summary>The next taking is of all that were counted, whether their windows have ended or not.</summary>
    public void TellAll() => Volatile.Write(ref all, true);

    /// <summary>Moves what is due to where it is written from.</summary>
    public void Take(List<AuditEvent> due)
    {
        lock (guard)
        {
            var (everything, now) = (Interlocked.Exchange(ref all, false), clock.GetTimestamp());
            if (runs.Count == 0 || !everything && clock.GetElapsedTime(looked, now) < Look) return;
            looked = now;
            foreach (var (kind, run) in runs)
            {
                var over = clock.GetElapsedTime(run.Began, now) >= Window;
                if (run.First is { } first && (over || everything))
                {
                    due.Add(first with { Times = run.Counted });
                    (run.First, run.Counted, run.Began) = (null, 0, now); // it goes on: what follows is counted from the start
                }
                else if (over)
                {
                    runs.Remove(kind);
                }
            }
        }
    }

    /// <summary>True while something is remembered that time will end.</summary>
    public bool Any
    {
        get { lock (guard) return runs.Count > 0; }
    }

    private sealed class Run(long began)
    {
        public long Began { get; set; } = began;

        public int Seen { get; set; } = 1;

        public long Counted { get; set; }

        public AuditEvent? First { get; set; }
    }

    private sealed class Alike : IEqualityComparer<AuditEvent>
    {
        public static readonly Alike Instance = new();

        public bool Equals(AuditEvent? x, AuditEvent? y) => x!.Kind == y!.Kind && x.Request == y.Request && x.Address == y.Address && x.Reason == y.Reason && x.Operation == y.Operation
            && x.Caller == y.Caller && x.Agent == y.Agent && x.OnBehalfOf == y.OnBehalfOf && x.Payer == y.Payer && x.Method == y.Method && x.Amount == y.Amount && x.Reference == y.Reference && x.Detail == y.Detail;

        public int GetHashCode([DisallowNull] AuditEvent obj) => HashCode.Combine(obj.Kind, obj.Request, obj.Address, obj.Reason);
    }
}
