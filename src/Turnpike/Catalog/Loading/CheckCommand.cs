using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using Turnpike.Catalog.Document;

namespace Turnpike.Catalog.Loading;

/// <summary><c>turnpike check FILE</c>: every error at once, or what was understood.</summary>
internal static class CheckCommand
{
    private const int Sound = 0, WrongInput = 2;

    /// <summary>0 when the document is sound, 2 when not. Errors and warnings go to <paramref name="err"/>; with <paramref name="json"/> everything to <paramref name="output"/>.</summary>
    public static int Run(CatalogLoader loader, ConfigEnvironment environment, string path, bool json, TextWriter output, TextWriter err)
    {
        if (CatalogLoader.ReadText(path) is not { } text)
        {
            err.WriteLine($"{path}: the file cannot be read, or is larger than 4 MiB");
            return WrongInput;
        }
        var result = loader.Load(text, path, environment);
        if (json) output.WriteLine(Json(loader, result));
        else Tell(loader, result, output, err);
        return result.Catalog is null ? WrongInput : Sound;
    }

    private static void Tell(CatalogLoader loader, ConfigResult result, TextWriter output, TextWriter err)
    {
        foreach (var line in result.ErrorLines) err.WriteLine(line);
        foreach (var line in result.WarningLines) err.WriteLine("warning: " + line);
        if (result.Catalog is not { } catalog)
        {
            err.WriteLine(result.Errors.Count == 1 ? "1 error" : $"{result.Errors.Count} errors");
            return;
        }
        output.WriteLine($"{result.File} is sound; its version is {catalog.Version}");
        output.WriteLine("gateway");
        foreach (var line in Gateway(catalog.Gateway)) output.WriteLine("  " + line);
        foreach (var section in loader.Sections)
        {
            if (section.Tell?.Invoke(catalog).ToList() is not { Count: > 0 } lines) continue;
            output.WriteLine(section.Key.Name);
            foreach (var line in lines) output.WriteLine("  " + line);
        }
        output.WriteLine("services");
        foreach (var service in catalog.Services) Tell(loader, catalog, service, output);
    }

    private static void Tell(CatalogLoader loader, ServiceCatalog catalog, Service service, TextWriter output)
    {
        output.WriteLine($"  {service.Name} -> {Upstream(service.Upstream)}");
        foreach (var operation in service.Operations)
        {
            var told = loader.Sections.Select(s => s.TellOperation?.Invoke(catalog, operation)).OfType<string>().Reverse();
            output.WriteLine($"    {operation.Name}: {operation.Method} {service.Host}{service.Prefix}{operation.Path}; {string.Join("; ", told)}{Rules(operation)}");
        }
    }

    private static string Upstream(Upstream upstream)
    {
        var targets = string.Join(", ", upstream.Targets.Select(t => upstream.Targets.Count > 1 ? $"{t.Url} (weight {t.Weight})" : t.Url.ToString()));
        var health = upstream.Health is { } asked ? $", asked at {asked.Path} every {Shapes.Tell(asked.Every)}" : "";
        return $"{targets}; begins to answer within {Shapes.Tell(upstream.Timeout)}{health}";
    }

    private static string Rules(Operation operation) =>
        (operation.Identity == IdentityRule.Optional ? "" : $"; identity {operation.Identity.ToString().ToLowerInvariant()}") + (operation.Settle == SettleMoment.Before ? "; settled before" : "") + (operation.ChargeOn.On == ChargeMoment.Success ? "" : $"; charged on {operation.ChargeOn.Told}");

    private static IEnumerable<string> Gateway(GatewaySettings gateway)
    {
        yield return $"callers on {gateway.Listen}, told {gateway.Url}";
        yield return $"operators on {gateway.Admin}, {(gateway.AdminKeys.Count == 0 ? "no admin key" : $"admin keys: {gateway.AdminKeys.Count}")}";
        yield return $"store {new Storage.StorageOptions(gateway.Store)}";
        if (gateway.Insecure) yield return "takes payment over plain HTTP";
        if (gateway.Sandbox) yield return "sandbox: test money may be sold";
    }

    /// <summary>What was understood, as JSON: also what the Admin API shows.</summary>
    public static string Json(CatalogLoader loader, ConfigResult result)
    {
        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer, new JsonWriterOptions { Indented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping }))
        {
            json.WriteStartObject();
            json.WriteString("file", result.File);
            json.WriteBoolean("sound", result.Catalog is not null);
            Findings(json, "errors", result.Errors);
            Findings(json, "warnings", result.Warnings);
            if (result.Catalog is { } catalog) Catalog(json, loader, catalog);
            json.WriteEndObject();
        }
        return Encoding.UTF8.GetString(buffer.ToArray());
    }

    private static void Findings(Utf8JsonWriter json, string name, IEnumerable<ConfigError> findings)
    {
        json.WriteStartArray(name);
        foreach (var finding in findings)
        {
            json.WriteStartObject();
            json.WriteNumber("line", finding.Line);
            json.WriteNumber("column", finding.Column);
            json.WriteString("path", finding.Path);
            json.WriteString("message", finding.Message);
            json.WriteEndObject();
        }
        json.WriteEndArray();
    }

    private static void Catalog(Utf8JsonWriter json, CatalogLoader loader, ServiceCatalog catalog)
    {
        json.WriteString("version", catalog.Version);
        Lines(json, "gateway", Gateway(catalog.Gateway));
        foreach (var section in loader.Sections)
            if (section.Tell is { } tell) Lines(json, section.Key.Name, tell(catalog));
        json.WriteStartArray("operations");
        foreach (var operation in catalog.Services.SelectMany(s => s.Operations))
        {
            json.WriteStartObject();
            json.WriteString("service", operation.Service);
            json.WriteString("name", operation.Name);
            json.WriteString("match", $"{operation.Method} {operation.Path}");
            foreach (var section in loader.Sections)
                if (section.TellOperation?.Invoke(catalog, operation) is { } told) json.WriteString(section.Key.Name, told);
            json.WriteEndObject();
        }
        json.WriteEndArray();
    }

    private static void Lines(Utf8JsonWriter json, string name, IEnumerable<string> lines)
    {
        json.WriteStartArray(name);
        foreach (var line in lines) json.WriteStringValue(line);
        json.WriteEndArray();
    }
}
