using System.CommandLine;
using System.Text.Json;
using Turnpike.Admin.Guards;
using Turnpike.Catalog;
using Turnpike.Catalog.Document;
using Turnpike.Plans;

namespace Turnpike.Admin.Cli;

/// <summary><c>turnpike plans list|show</c>: plans belong to the file, so the file is read.</summary>
internal static class PlansCommand
{
    public static Command Create() => new("plans", "Plans: what can be bought, and what it includes.") { List(), Show() };

    private static Command List()
    {
        var (config, json) = (CommandRun.ConfigOption(), CommandRun.JsonOption());
        var command = new Command("list", "List the plans of the configuration.\nExample: turnpike plans list") { config, json };
        command.SetAction((p, _) => ListAsync(p.GetValue(config)!, ConfigEnvironment.Process, p.GetValue(json), Console.Out, Console.Error));
        return command;
    }

    private static Command Show()
    {
        var name = new Argument<string>("plan") { Description = "Its name." };
        var (config, json) = (CommandRun.ConfigOption(), CommandRun.JsonOption());
        var command = new Command("show", "Show what a plan includes, limits and opens.\nExample: turnpike plans show pro") { name, config, json };
        command.SetAction((p, _) => ShowAsync(p.GetValue(config)!, ConfigEnvironment.Process, p.GetValue(name)!, p.GetValue(json), Console.Out, Console.Error));
        return command;
    }

    public static Task<int> ListAsync(string config, ConfigEnvironment environment, bool json, TextWriter output, TextWriter err) => CommandRun.RunAsync(config, environment, err, catalog =>
    {
        var plans = new PlanList([.. (catalog.Settings.Get<PlanSettings>()?.Plans.Values ?? []).OrderBy(p => p.Name, StringComparer.Ordinal).Select(PlanView.Of)]);
        if (json) output.WriteLine(JsonSerializer.Serialize(plans, AdminJson.Readable.PlanList));
        else foreach (var plan in plans.Plans) output.WriteLine($"{plan.Name}  {(plan.Includes.Count == 0 ? "nothing included" : string.Join("; ", plan.Includes.Select(Line)))}");
        return Task.FromResult(CommandRun.Done);
    });

    public static Task<int> ShowAsync(string config, ConfigEnvironment environment, string name, bool json, TextWriter output, TextWriter err) => CommandRun.RunAsync(config, environment, err, catalog =>
    {
        if (PlanBook.Of(catalog, name) is not { } found) return Task.FromResult(CommandRun.Say(err, "No plan has this name.", CommandRun.Refused));
        var plan = PlanView.Of(found);
        if (json) output.WriteLine(JsonSerializer.Serialize(plan, AdminJson.Readable.PlanView));
        else
        {
            output.WriteLine($"plan      {plan.Name}");
            foreach (var included in plan.Includes) output.WriteLine($"includes  {Line(included)}");
            foreach (var limit in plan.Limits) output.WriteLine($"limit     {LimitsCommand.Line(limit)}");
            foreach (var (tier, models) in plan.Tiers) output.WriteLine($"tier      {tier}: {string.Join(", ", models)}");
            foreach (var (entitlement, value) in plan.Entitlements) output.WriteLine($"opens     {entitlement}: {value}");
        }
        return Task.FromResult(CommandRun.Done);
    });

    private static string Line(IncludedView included) =>
        $"{included.Amount} per {included.Per}{(included.Tier is { } tier ? $" of {tier}" : "")}{(included.Operations.Count > 0 ? $" for {string.Join(", ", included.Operations)}" : "")}, then {included.WhenUsedUp}";
}
