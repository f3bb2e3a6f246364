using System.Text.Json;
using Turnpike.Access.Rules;
using Turnpike.Catalog;
using Turnpike.Catalog.Document;
using Turnpike.Catalog.Loading;
using Turnpike.Identity;
using Turnpike.Plans;
using Turnpike.Protocols.Http;

namespace Turnpike.Access;

/// <summary>The keys of an operation that say who may use it, and how: <c>scopes</c>, <c>roles</c>, <c>fields</c>, <c>schema</c>.</summary>
internal static class AccessSection
{
    private static readonly Shape<string> Scope = new ScalarShape<string>("a scope such as companies:read", (string t, out string? v) => Identity.Scopes.IsScope(v = t) ? null : "is no scope; write one word of printable ASCII", "^[!#-\\[\\]-~]+$");
    private static readonly Shape<JsonPath> Path = new ScalarShape<JsonPath>("a path into JSON such as $.items[*].owner", (string t, out JsonPath? v) => (v = JsonPath.Parse(t, out var wrong)) is null ? $"is no path: {wrong}" : null, @"^\$");

    private static readonly Key<ScopeList> Scopes = new("scopes", new ConvertedShape<IReadOnlyList<string>, ScopeList>(new ListShape<string>(Scope, least: 1), l => new ScopeList(l)), "What a caller has to be allowed, all of them; without: 403, and no terms.") { Default = "nothing", Example = "[companies:read]" };
    private static readonly Key<RoleList> Roles = new("roles", new ConvertedShape<IReadOnlyList<string>, RoleList>(new ListShape<string>(Shapes.Text, least: 1), l => new RoleList(l)), "Roles, one of which a caller has to have.") { Default = "none", Example = "[auditor]" };

    private static readonly Key<NeededEntitlements> Needed = new("entitlements", new ConvertedShape<IReadOnlyList<string>, NeededEntitlements>(new ListShape<string>(Shapes.Text, least: 1), l => new NeededEntitlements(l)), "What the caller's plan has to open, all of it; without: 403, and no terms.") { Default = "nothing", Example = "[export]" };

    private static readonly Key<LeastAssurance> Least = new("assurance", new ConvertedShape<Assurance, LeastAssurance>(new ChoiceShape<Assurance>(("bearer", Assurance.Bearer), ("bound", Assurance.Bound)), level => new LeastAssurance(level)), "How surely it has to be known who asks: by a key or token, or by a signature over all of the request. Less is 403.") { Default = "as 'identity' says", Example = "bound" };

    private static readonly Key<IReadOnlyList<JsonPath>> Paths = new("paths", new ListShape<JsonPath>(Path, least: 1), "Places in the JSON answer.") { Required = true, Example = "[\"$.items[*].owner\"]" };
    private static readonly Key<IReadOnlyList<string>> FieldScopes = new("scopes", new ListShape<string>(Scope, least: 1), "What a caller has to be allowed to see them.") { Required = true, Example = "[companies:private]" };
    private static readonly Key<JsonRemoval> Otherwise = new("otherwise", new ChoiceShape<JsonRemoval>(("remove", JsonRemoval.Remove), ("mask", JsonRemoval.Mask), ("null", JsonRemoval.Nothing)), "What others get in their place: nothing, three stars, or null.") { Default = "remove", Example = "mask" };
    private static readonly Shape<FieldRule> Field = new MapShape<FieldRule>([Paths, FieldScopes, Otherwise], m => new FieldRule(m.Get(Paths, []), m.Get(FieldScopes, []), m.Get(Otherwise)));
    private static readonly Key<FieldRules> Fields = new("fields", new ConvertedShape<IReadOnlyList<FieldRule>, FieldRules>(new ListShape<FieldRule>(Field, least: 1), l => new FieldRules(l)), "Parts of its JSON answers that not every caller may see; taken out before records are counted. An answer that cannot be looked through is withheld.") { Default = "everything is seen", Example = "[{ paths: [\"$.items[*].owner\"], scopes: [companies:private] }]" };

    private static readonly Key<Protocols.Schemas.JsonSchema> Body = new("body", new JsonSchemaShape(), "A JSON Schema (2020-12, without remote references) of the request's body.") { Required = true, Example = "{ type: object, required: [format], properties: { format: { enum: [csv, json] } }, additionalProperties: false }" };
    private static readonly Key<RequestSchema> Schema = new("schema", new MapShape<RequestSchema>([Body], m => new RequestSchema(m.Get(Body)!)), "What a request looks like; others are 400 before anything is paid.") { Default = "anything", Example = "{ body: { type: object } }" };

    public static readonly IReadOnlyList<Section> Sections =
    [
        new Section(Catalog.Loading.Scope.Operation, Scopes) { Check = Check, TellOperation = (_, o) => o.Settings.Get<ScopeList>() is { } s ? string.Join(", ", s.All) : null },
        new Section(Catalog.Loading.Scope.Operation, Roles),
        new Section(Catalog.Loading.Scope.Operation, Needed) { Check = CheckEntitlements },
        new Section(Catalog.Loading.Scope.Operation, Least),
        new Section(Catalog.Loading.Scope.Operation, Fields),
        new Section(Catalog.Loading.Scope.Operation, Schema),
    ];

    private static void CheckEntitlements(Draft draft)
    {
        var known = (draft.Settings.Get<PlanSettings>()?.Plans.Values ?? []).SelectMany(p => p.Entitlements.All).Select(e => e.Key).ToHashSet(StringComparer.Ordinal);
        foreach (var operation in draft.Operations)
            foreach (var name in operation.Settings.Get<NeededEntitlements>()?.All ?? [])
                if (!known.Contains(name)) draft.At(operation, Needed.Name).Refuse($"no plan has '{Reading.Shown(name)}'{(Nearest.Of(name, known) is { } near ? $"; did you mean '{near}'?" : "")}");
    }

    private static void Check(Draft draft)
    {
        foreach (var operation in draft.Operations.Where(o => o.Identity == IdentityRule.Upstream))
            foreach (var (asked, key) in new (bool, Key)[] { (operation.Settings.Get<ScopeList>() is not null, Scopes), (operation.Settings.Get<RoleList>() is not null, Roles), (operation.Settings.Get<NeededEntitlements>() is not null, Needed), (operation.Settings.Get<LeastAssurance>() is not null, Least), (operation.Settings.Get<FieldRules>() is not null, Fields) })
                if (asked) draft.At(operation, key.Name).Refuse("asks for rights of a caller, but with 'identity: upstream' nobody here knows who calls");
    }
}
