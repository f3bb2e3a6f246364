using Turnpike.Catalog.Document;
using Turnpike.Catalog.Loading;

namespace Turnpike.Admin.Data;

/// <summary>The <c>retention:</c> section.</summary>
internal static class RetentionSection
{
    private static readonly Key<TimeSpan> Audit = new("audit", Shapes.Duration, "How long the audit trail goes back; its older part is dropped up to a signed link, and the rest still verifies.") { Default = "for good", Example = "400d" };
    private static readonly Key<string> Archive = new("archive", Shapes.Text, "A folder that gets what is dropped of the trail first, as exports that verify by themselves.") { Default = "it is not kept elsewhere", Example = "data/archive" };
    private static readonly Key<TimeSpan> Usage = new("usage", Shapes.Duration, "How long records of use are kept.") { Default = "for good", Example = "400d" };
    private static readonly Key<TimeSpan> Payments = new("payments", Shapes.Duration, "How long ended payments say what was asked, by whom and with which proof; amounts, payers and references stay. After that nothing can be given back on a chain, only as credit.") { Default = "for good", Example = "400d" };
    private static readonly Key<TimeSpan> Approvals = new("approvals", Shapes.Duration, "How long answered approvals are kept.") { Default = "for good", Example = "90d" };

    private static readonly Key<RetentionSettings> Key = new("retention", new MapShape<RetentionSettings>([Audit, Archive, Usage, Payments, Approvals], Build), "How long what is stored is kept. Stored answers: payments.answers.") { Default = "for good", Example = "{ audit: 400d, usage: 400d }" };

    public static readonly Section Section = new(Scope.Document, Key);

    private static RetentionSettings? Build(MapValues m)
    {
        if (m.IsWritten(Archive) && !m.IsWritten(Audit))
        {
            m.Of(Archive).Refuse("needs audit, which says what is dropped");
            return null;
        }
        return new RetentionSettings { Audit = Of(m, Audit), Archive = m.Get(Archive), Usage = Of(m, Usage), Payments = Of(m, Payments), Approvals = Of(m, Approvals) };
    }

    private static TimeSpan? Of(MapValues m, Key<TimeSpan> key) => m.IsWritten(key) ? m.Get(key) : null;
}
