using System.Collections.Frozen;
using Turnpike.Catalog;

namespace Turnpike.Identity.Organisations;

/// <summary>The <c>organisations:</c> section.</summary>
internal sealed record OrganisationSettings(FrozenDictionary<string, Organisation> All)
{
    /// <summary>One the file names; null: it says nothing of it.</summary>
    public static Organisation? Named(ServiceCatalog catalog, string name) => catalog.Settings.Get<OrganisationSettings>()?.All.GetValueOrDefault(name);
}
