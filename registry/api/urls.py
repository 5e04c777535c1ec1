from django.urls import URLPattern, URLResolver, path

from registry.api import history, linking, merging, records, timeline

urlpatterns: list[URLPattern | URLResolver] = [
    path("/search", records.SearchView.as_view()),
    path("/list", records.EntitiesView.as_view()),
    path("/register", linking.RegisterView.as_view()),
    path("/auto-link", linking.AutoLinkView.as_view()),
    path("/link", linking.LinkView.as_view()),
    path("/links/<uuid:link_id>", linking.OneLinkView.as_view()),
    path("/merge", merging.MergeView.as_view()),
    path("/merges/<uuid:merge_id>/undo", merging.UndoView.as_view()),
    path("/duplicates", merging.DuplicatesView.as_view()),
    path("/changes", history.ChangesView.as_view()),
    path("/by-entity/<str:app>/<str:entity_type>/<str:entity_id>", records.ByEntityView.as_view()),
    path("/<uuid:canonical_id>", records.EntityView.as_view()),
    path("/<uuid:canonical_id>/genealogy", history.GenealogyView.as_view()),
    path("/<uuid:canonical_id>/timeline", timeline.TimelineView.as_view()),
    path("/<uuid:canonical_id>/profile", history.ProfileView.as_view()),
    path("/<uuid:canonical_id>/merges", history.MergesView.as_view()),
    path("/<uuid:canonical_id>/export", history.ExportView.as_view()),
    path("/<uuid:canonical_id>/duplicates", merging.DuplicatesOfView.as_view()),
    path("/<uuid:canonical_id>/duplicates/<uuid:other_id>/dismiss", merging.DismissView.as_view()),
]
