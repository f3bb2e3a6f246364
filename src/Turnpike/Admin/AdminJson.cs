using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using Turnpike.Admin.Guards;
using Turnpike.Admin.Callers;
using Turnpike.Admin.Support;

namespace Turnpike.Admin;

/// <summary>The JSON of the Admin API and of the commands' <c>--json</c>. Unknown members are errors: a misspelt limit would be no limit.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow, WriteIndented = true)]
[JsonSerializable(typeof(TokenBody))]
[JsonSerializable(typeof(ReasonBody))]
[JsonSerializable(typeof(HandoverBody))]
[JsonSerializable(typeof(TokenView))]
[JsonSerializable(typeof(TokenList))]
[JsonSerializable(typeof(BreakerView))]
[JsonSerializable(typeof(BreakerList))]
[JsonSerializable(typeof(ApprovalView))]
[JsonSerializable(typeof(ApprovalList))]
[JsonSerializable(typeof(IncidentBody))]
[JsonSerializable(typeof(IncidentView))]
[JsonSerializable(typeof(IncidentList))]
[JsonSerializable(typeof(LimitList))]
[JsonSerializable(typeof(CountList))]
[JsonSerializable(typeof(ShadowList))]
[JsonSerializable(typeof(PlanView))]
[JsonSerializable(typeof(PlanList))]
[JsonSerializable(typeof(PlanBody))]
[JsonSerializable(typeof(AllowanceList))]
[JsonSerializable(typeof(GrantBody))]
[JsonSerializable(typeof(GrantView))]
[JsonSerializable(typeof(BalanceView))]
[JsonSerializable(typeof(TakenBackView))]
[JsonSerializable(typeof(CallerBody))]
[JsonSerializable(typeof(CallerView))]
[JsonSerializable(typeof(CallerList))]
[JsonSerializable(typeof(ReputationView))]
[JsonSerializable(typeof(KeyBody))]
[JsonSerializable(typeof(RollBody))]
[JsonSerializable(typeof(KeyView))]
[JsonSerializable(typeof(Evidence))]
[JsonSerializable(typeof(SignedEvidence))]
[JsonSerializable(typeof(ResolveBody))]
[JsonSerializable(typeof(RefundBody))]
[JsonSerializable(typeof(RefundView))]
[JsonSerializable(typeof(RefundList))]
[JsonSerializable(typeof(PaymentView))]
[JsonSerializable(typeof(PaymentStory))]
[JsonSerializable(typeof(PaymentList))]
[JsonSerializable(typeof(Data.ErasedView))]
[JsonSerializable(typeof(EventList))]
[JsonSerializable(typeof(AuditView))]
[JsonSerializable(typeof(BooksView))]
[JsonSerializable(typeof(ReceiptView))]
[JsonSerializable(typeof(ReadyView))]
[JsonSerializable(typeof(IReadOnlyList<Nodes.NodeView>))]
[JsonSerializable(typeof(Sold.ServiceView))]
[JsonSerializable(typeof(Sold.ServiceList))]
[JsonSerializable(typeof(Sold.OperationView))]
[JsonSerializable(typeof(Sold.OperationList))]
[JsonSerializable(typeof(Meters.MeterList))]
[JsonSerializable(typeof(Meters.MeterAnswer))]
[JsonSerializable(typeof(Meters.UsageBody))]
[JsonSerializable(typeof(Meters.ExportList))]
[JsonSerializable(typeof(Meters.MarginList))]
[JsonSerializable(typeof(Meters.DeadLetterList))]
[JsonSerializable(typeof(Meters.ReplayBody))]
[JsonSerializable(typeof(Meters.ReplayView))]
internal sealed partial class AdminJson : JsonSerializerContext
{
    /// <summary>For terminals: a plus sign stays one.</summary>
    public static AdminJson Readable { get; } = new(new JsonSerializerOptions { PropertyNamingPolicy = JsonNamingPolicy.CamelCase, WriteIndented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping });
}
